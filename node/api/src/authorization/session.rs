//! What a token stands for.

use tongban_types::{Actor, Hash, Timestamp};

/// What an accepted token says of whoever sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who acts.
    pub actor: Actor,
    /// SHA-256 of the token: names the asker in command ids.
    pub token_hash: Hash,
    /// Refused from then on.
    pub expires: Timestamp,
}

/// Where tokens are looked up.
pub trait TokenBook: Send + Sync {
    /// The session of a token that was made and not revoked. Whether it has expired is judged by
    /// the caller, who knows the time.
    fn find(&self, token: &str) -> Option<Session>;
}
