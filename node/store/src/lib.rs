//! Applied state in sled 0.34, used only in the way that survives a power cut: one tree, commits
//! gathered in memory and sunk in batches with their groups' positions inside, pairs packed into pages
//! that stand in files beside it and stay at hand when used, one flusher that follows sled's flush with a
//! real sync of its file, opens sled anew before a start would take long and compacts the files. What does not open is wiped and filled again from
//! snapshot and log; rules, logs and snapshots live elsewhere. No other crate names sled.

mod bounds;
mod engine;
mod error;
mod failure;
mod flusher;
mod folder;
mod keys;
mod known_pages;
mod layers;
pub mod limits;
mod page;
mod page_files;
mod page_place;
mod paged_batch;
mod pages;
mod renewal;
mod store;
mod tiers;
mod unsynced;
mod work;

pub use bounds::Bounds;
pub use error::{OpenError, SledStoreError};
pub use store::{Opened, SledStore};
pub use work::{Bounded, EngineWork};
