//! Applied state in sled 0.34, used only in the way that survives a power cut: one tree, one batch a
//! commit with the group's position inside, one flusher that follows sled's flush with a real sync
//! of its file. What does not open is wiped and filled again from snapshot and log; rules, logs and
//! snapshots live elsewhere. No other crate names sled.

mod engine;
mod error;
mod failure;
mod flusher;
mod folder;
mod keys;
pub mod limits;
mod store;

pub use error::{OpenError, SledStoreError};
pub use store::{Opened, SledStore};
