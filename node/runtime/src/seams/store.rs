//! Applied state: one ordered map of bytes a group, each applied batch written with its position in
//! one atomic write. It need not be durable, only never torn: what it loses is replayed from the
//! snapshot and the log.

use thiserror::Error;
pub use tongban_machine::{Write, WriteSet};
use tongban_types::GroupId;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Why the store cannot be used. Every variant stops the node: a supervisor restarts it, and a
/// store that does not open is wiped and refilled.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The engine failed.
    #[error("applied state: the engine failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read is not what was written.
    #[error("applied state: {what} does not decode")]
    Corrupt {
        /// Which record.
        what: &'static str,
    },
}

/// The engine of applied state.
pub trait StateStore: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, group: GroupId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Pairs with `from <= key < until` in key order, at most `limit`.
    fn scan(
        &self,
        group: GroupId,
        from: &[u8],
        until: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError>;

    /// Writes all changes and the position they bring the group to, all or nothing.
    fn commit(&self, group: GroupId, writes: &WriteSet, position: &[u8]) -> Result<(), StoreError>;

    /// The position of the last commit, `None` for a group never written.
    fn position(&self, group: GroupId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets everything of a group, its position first, so that a crash midway leaves a group
    /// that is filled again from its snapshot. Nobody may commit to the group meanwhile.
    fn clear(&self, group: GroupId) -> Result<(), StoreError>;

    /// Makes all commits so far durable.
    fn flush(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}
