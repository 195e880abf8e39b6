//! Counters of the log, read without taking its lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the log has done since it was opened, and how large it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalMetrics {
    /// Syncs of segment files.
    pub syncs: u64,
    /// Batches written.
    pub batches: u64,
    /// Records written.
    pub records: u64,
    /// Bytes of batches written.
    pub bytes: u64,
    /// Entries read from memory.
    pub cache_hits: u64,
    /// Entries read from a segment.
    pub cache_misses: u64,
    /// Segments begun.
    pub segments_begun: u64,
    /// Segments removed.
    pub segments_removed: u64,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// Entries of quiet groups moved forward so that old segments could go.
    pub entries_moved: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// The counters behind [`WalMetrics`].
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> WalMetrics {
                WalMetrics { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters!(
    syncs,
    batches,
    records,
    bytes,
    cache_hits,
    cache_misses,
    segments_begun,
    segments_removed,
    checkpoints,
    entries_moved
);

/// One counter. Relaxed: counters order nothing.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
