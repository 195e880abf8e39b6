//! One ordered log for votes, entries and the node's own records, with group commit. It knows
//! Raft groups as indexes, terms and bytes, not the library that makes them, and the disk only
//! through its seam. `format` is what lies on disk, `recovery` what survives, `writer` the one
//! task that writes, `housekeeping` what gives space back.

mod cache;
mod checkpoint;
mod config;
mod damage;
mod error;
mod files;
mod format;
mod housekeeping;
mod index;
mod local;
mod metrics;
mod reading;
mod recovery;
mod replay;
mod scan;
mod shared;
mod state;
mod tables;
mod wal;
mod writer;

pub use config::WalConfig;
pub use damage::Damage;
pub use error::{DiskStep, OpenError};
pub use index::LogEntry;
pub use metrics::WalMetrics;
pub use recovery::has_log;
pub use state::Completion;
pub use wal::Wal;
