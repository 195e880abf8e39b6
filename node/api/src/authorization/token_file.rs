//! The file of access tokens: what stands in it, and how it is replaced so that a power cut leaves
//! the old one or the new one, never half of either.

use std::error::Error;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use tongban_types::{Actor, CityCode, Hash, PersonId, Role, Timestamp};

use super::book_error::TokenFileFault;

/// Where a node has its keys, beside this file.
const KEYS_FOLDER: &str = "keys";

/// A city of ten million has fewer people in its halls than this for one node.
pub(super) const TOKENS_MAX: usize = 4_096;

/// [`TOKENS_MAX`] entries of about 400 bytes.
pub(super) const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenFile {
    pub tokens: Vec<TokenEntry>,
}

/// One token, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenEntry {
    /// Names it to whoever revokes it.
    pub id: String,
    /// Of the token's text.
    #[serde(with = "hex")]
    pub sha256: Hash,
    pub city: CityCode,
    pub person: PersonId,
    pub role: Role,
    /// UTC milliseconds.
    pub expires: Timestamp,
    pub label: String,
}

impl TokenEntry {
    pub(super) fn actor(&self) -> Actor {
        Actor {
            city: self.city,
            person: self.person.clone(),
            role: self.role,
        }
    }
}

/// Tells one state of the file from another without reading it. A replaced file has another inode
/// even when it was written within one tick of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: (i64, i64),
    inode: u64,
    length: u64,
}

/// The stamp of the file; `None` while there is none.
pub(super) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(Stamp {
            modified: (found.mtime(), found.mtime_nsec()),
            inode: found.ino(),
            length: found.len(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file's content; empty while there is no file.
pub(super) fn read(path: &Path) -> io::Result<TokenFile> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(TokenFile::default()),
        Err(error) => return Err(error),
    };
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(invalid(TokenFileFault::TooLong));
    }
    let file: TokenFile = serde_json::from_slice(&bytes).map_err(invalid)?;
    if file.tokens.len() > TOKENS_MAX {
        return Err(invalid(TokenFileFault::TooMany));
    }
    match file.tokens.iter().find(|entry| entry.role == Role::System) {
        Some(entry) => Err(invalid(TokenFileFault::RoleOfTheNode {
            id: entry.id.clone(),
        })),
        None => Ok(file),
    }
}

fn invalid(reason: impl Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Replaces the file: written aside, synced, renamed over, and the folder synced. Owner and mode stay
/// what they were: whoever runs the command may be another than the one the node runs as.
pub(super) fn replace(path: &Path, content: &TokenFile) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(content)?;
    bytes.push(b'\n');
    let aside = beside(path, "new");
    // Left by a crash, perhaps of somebody else's.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private(&aside)?;
    match fs::metadata(path) {
        Ok(before) => {
            give_to_owner_of(&file, &before)?;
            file.set_permissions(Permissions::from_mode(before.mode() & 0o777))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            give_to_owner_of(&file, &user_of(folder_of(path))?)?;
        }
        Err(error) => return Err(error),
    }
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    File::open(folder_of(path))?.sync_all()
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Whose the data folder is: who made its keys. A volume of a container may itself be root's and
/// writable for the node's group.
fn user_of(folder: &Path) -> io::Result<fs::Metadata> {
    match fs::metadata(folder.join(KEYS_FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::metadata(folder),
        found => found,
    }
}

/// What root makes in a folder of the node's user must be that user's. Who may not give it away is
/// refused rather than locking the node out.
fn give_to_owner_of(file: &File, model: &fs::Metadata) -> io::Result<()> {
    let made = file.metadata()?;
    if made.uid() == model.uid() {
        return Ok(());
    }
    fchown(file, Some(model.uid()), Some(model.gid()))
}

/// Holds off every other process that would change the file, until it is dropped.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let path = beside(path, "lock");
    let lock = match create_private(&path) {
        Ok(made) => {
            give_to_owner_of(&made, &user_of(folder_of(&path))?)?;
            made
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(&path)?
        }
        Err(error) => return Err(error),
    };
    lock.lock()?;
    Ok(lock)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{HEXLOWER, Hash};

    pub(super) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(hash)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        hash.map(Hash)
            .ok_or_else(|| serde::de::Error::custom("sha256 is 64 hexadecimal digits"))
    }
}
