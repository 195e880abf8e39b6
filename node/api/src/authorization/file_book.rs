//! Access tokens in a file of the data folder. The command line writes it while the node runs, and
//! the node reads it again when it changed, so that making and revoking tokens needs no restart. A
//! file that cannot be read takes its tokens along after a while: what was revoked in it is unknown.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tongban_runtime::seams::Entropy;
use tongban_types::{Actor, Code, Hash, Role, Timestamp};

use super::book_error::{LABEL_BYTES_MAX, TokenBookError};
use super::session::{Session, TokenBook};
use super::token::AccessToken;
use super::token_file::{self, Stamp, TOKENS_MAX, TokenEntry, TokenFile};

/// Tokens stay in force for this long while their file cannot be read: an editor at work must not
/// lock a whole hall out, and a token revoked meanwhile must not open anything for long.
const UNREADABLE_TIME_MAX: Duration = Duration::from_mins(1);

/// Access tokens kept in a file.
#[derive(Debug)]
pub struct FileTokenBook {
    path: PathBuf,
    read: RwLock<ReadState>,
    /// A token in no file, of the process itself.
    standing: Option<Session>,
}

#[derive(Clone, Debug, Default)]
struct ReadState {
    stamp: Option<Stamp>,
    entries: Arc<Vec<TokenEntry>>,
    file: FileState,
}

/// What is known of the file, so that each change is told once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FileState {
    #[default]
    Readable,
    /// The tokens read before are still in force.
    Unreadable { since: Instant },
    /// No longer.
    Closed,
}

/// A token just made; its text is in no file.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Names it to whoever revokes it.
    pub id: String,
    /// What its holder sends.
    pub token: AccessToken,
}

/// A token as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedToken {
    /// Names it to whoever revokes it.
    pub id: String,
    /// Whom it lets act.
    pub actor: Actor,
    /// Refused from then on.
    pub expires: Timestamp,
    /// What it was made for.
    pub label: String,
}

impl FileTokenBook {
    /// The tokens of a file; an absent file holds none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TokenBookError> {
        let book = Self {
            path: path.into(),
            read: RwLock::new(ReadState::default()),
            standing: None,
        };
        book.read_again().map_err(|source| book.failed(source))?;
        Ok(book)
    }

    /// With a token that stands in no file and goes with this process.
    #[must_use]
    pub fn with_standing(mut self, session: Session) -> Self {
        self.standing = Some(session);
        self
    }

    /// Makes a token for a person and stores its hash.
    pub fn create(
        &self,
        actor: &Actor,
        expires: Timestamp,
        label: &str,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<NewToken, TokenBookError> {
        if actor.role == Role::System {
            return Err(TokenBookError::RoleOfTheNode);
        }
        if expires <= now {
            return Err(TokenBookError::ExpiresInThePast);
        }
        if label.len() > LABEL_BYTES_MAX || label.chars().any(char::is_control) {
            return Err(TokenBookError::Label);
        }
        let token = AccessToken::make(entropy);
        let sha256 = token.hash();
        // Of the hash's 64 digits ten tell 4096 tokens apart.
        let id: String = sha256.to_string().chars().take(10).collect();
        self.change(|file| {
            // What expired can open nothing any more and only fills the file.
            file.tokens.retain(|entry| entry.expires > now);
            if file.tokens.len() >= TOKENS_MAX {
                return Err(TokenBookError::Full);
            }
            file.tokens.push(TokenEntry {
                id: id.clone(),
                sha256,
                city: actor.city,
                person: actor.person.clone(),
                role: actor.role,
                expires,
                label: label.to_owned(),
            });
            Ok(())
        })?;
        Ok(NewToken { id, token })
    }

    /// All tokens, in the order they were made.
    pub fn list(&self) -> Result<Vec<ListedToken>, TokenBookError> {
        let file = token_file::read(&self.path).map_err(|source| self.failed(source))?;
        let listed = file.tokens.into_iter().map(|entry| ListedToken {
            actor: entry.actor(),
            id: entry.id,
            expires: entry.expires,
            label: entry.label,
        });
        Ok(listed.collect())
    }

    /// Removes a token; a running node refuses it from its next request on.
    pub fn revoke(&self, id: &str) -> Result<(), TokenBookError> {
        self.change(|file| {
            let before = file.tokens.len();
            file.tokens.retain(|entry| entry.id != id);
            if file.tokens.len() == before {
                return Err(TokenBookError::NoSuchToken { id: id.to_owned() });
            }
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut TokenFile) -> Result<(), TokenBookError>,
    ) -> Result<(), TokenBookError> {
        let failed = |source| self.failed(source);
        let _lock = token_file::lock(&self.path).map_err(failed)?;
        let mut file = token_file::read(&self.path).map_err(failed)?;
        change(&mut file)?;
        token_file::replace(&self.path, &file).map_err(failed)?;
        self.read_again().map_err(failed)?;
        Ok(())
    }

    /// The entries as the file has them now.
    fn entries(&self, now: Instant) -> Arc<Vec<TokenEntry>> {
        let known = self
            .read
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if known.file == FileState::Readable
            && matches!(token_file::stamp(&self.path), Ok(stamp) if stamp == known.stamp)
        {
            return known.entries;
        }
        match self.read_again() {
            Ok(entries) => {
                if known.file != FileState::Readable {
                    tracing::info!("the token file is read again");
                }
                entries
            }
            Err(error) => self.without_file(now, &error),
        }
    }

    /// What is in force while the file cannot be read.
    fn without_file(&self, now: Instant, error: &io::Error) -> Arc<Vec<TokenEntry>> {
        let code = Code::TOKEN_BOOK_UNUSABLE;
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        match read.file {
            FileState::Readable => {
                tracing::warn!(%code, %error, "the token file cannot be read; its tokens end soon");
                read.file = FileState::Unreadable { since: now };
            }
            FileState::Unreadable { since }
                if now.saturating_duration_since(since) >= UNREADABLE_TIME_MAX =>
            {
                tracing::error!(%code, %error, "the token file cannot be read; no token is taken");
                read.entries = Arc::default();
                read.file = FileState::Closed;
            }
            FileState::Unreadable { .. } | FileState::Closed => {}
        }
        Arc::clone(&read.entries)
    }

    fn find_at(&self, token: &str, now: Instant) -> Option<Session> {
        let token_hash = AccessToken::hash_of(token)?;
        let entries = self.entries(now);
        let mut found = None;
        // Every entry is compared whole, so that the time taken says nothing about any of them.
        for entry in entries.iter() {
            if is_equal(entry.sha256, token_hash) {
                found = Some(Session {
                    actor: entry.actor(),
                    token_hash,
                    expires: entry.expires,
                });
            }
        }
        let standing = self.standing.as_ref();
        found.or_else(|| {
            standing
                .filter(|session| is_equal(session.token_hash, token_hash))
                .cloned()
        })
    }

    fn read_again(&self) -> io::Result<Arc<Vec<TokenEntry>>> {
        // The stamp first: a change between the two is then seen at the next look.
        let stamp = token_file::stamp(&self.path)?;
        let entries = Arc::new(token_file::read(&self.path)?.tokens);
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = ReadState {
            stamp,
            entries: Arc::clone(&entries),
            file: FileState::Readable,
        };
        Ok(entries)
    }

    fn failed(&self, source: io::Error) -> TokenBookError {
        TokenBookError::File {
            path: self.path.display().to_string(),
            source,
        }
    }
}

impl TokenBook for FileTokenBook {
    fn find(&self, token: &str) -> Option<Session> {
        self.find_at(token, Instant::now())
    }
}

fn is_equal(left: Hash, right: Hash) -> bool {
    let difference = left
        .0
        .iter()
        .zip(right.0)
        .fold(0, |difference, (left, right)| difference | (left ^ right));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests;
