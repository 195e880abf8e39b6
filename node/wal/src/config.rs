//! Sizes of the log, each with its reason. They may differ from one start to the next: nothing on
//! disk depends on them.

use std::time::Duration;

/// How large the parts of the log are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalConfig {
    /// Size of a segment file. 64 MiB: a rotation (two file syncs and one folder sync) then comes
    /// once in tens of thousands of entries, and a segment is read in well under a second at start.
    pub segment_bytes: u64,
    /// Entries kept in memory after they were written, over all groups. 32 MiB: a follower that is
    /// a second behind under full load is still served without touching the disk.
    pub cache_bytes: usize,
    /// Bytes waiting to be written before callers wait. 16 MiB: a few batches, so that a slow disk
    /// is felt by the callers within a second and memory stays bounded.
    pub queue_bytes: usize,
    /// Records waiting to be written before callers wait: bounds the memory of small records.
    pub queue_records: usize,
    /// Bytes written before one sync. 2 MiB: beyond that the sync costs more for its bytes than for
    /// itself, and the first waiter of the batch would pay for the last.
    pub batch_bytes: usize,
    /// Records written before one sync: bounds how long one round of completions takes.
    pub batch_records: usize,
    /// Records that wait when a batch is done, from which on more are gathered for a moment before the next. 8: so
    /// many callers at once are a crowd, in which others soon come, and each sync they share costs a busy node more
    /// than the moment costs them; whoever is alone, or one of a few, waits for nobody.
    pub crowd_records: usize,
    /// That moment. 1 ms: some syncs of a fast disk, and little beside the rounds that a case takes. None where it is
    /// zero.
    pub crowd_time: Duration,
}

impl Default for WalConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            cache_bytes: 32 << 20,
            queue_bytes: 16 << 20,
            queue_records: 65_536,
            batch_bytes: 2 << 20,
            batch_records: 8_192,
            crowd_records: 8,
            crowd_time: Duration::from_millis(1),
        }
    }
}

/// The largest record. 16 MiB: no Raft entry and no local record comes near it (frames between
/// nodes are smaller); a length beyond it on disk is damage, not a request for memory.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;

/// The largest segment file that is read at start: a file beyond it is not one of ours.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// The largest key of a local record, as `LocalWrite` says.
pub(crate) const LOCAL_KEY_BYTES_MAX: usize = 256;

/// Garbage is left alone until the sealed segments exceed this many, so that a small log is never
/// copied about.
pub(crate) const SEGMENTS_KEPT_MIN: u64 = 4;

/// Live entries of the oldest segment are moved forward once the sealed segments hold more than
/// this many times the live bytes: each byte is then moved at most once for every two written.
pub(crate) const GARBAGE_FACTOR: u64 = 3;

/// Bytes of entries moved forward, or of local records put into one record of a checkpoint, at a
/// time: small beside a batch, so that callers hardly notice.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;

/// Bytes of a checkpoint written between two syncs, so that its writing does not flood the disk
/// that the log's own syncs wait for.
pub(crate) const CHECKPOINT_SYNC_BYTES: u64 = 8 << 20;

/// The largest entry: a record less its own numbers.
pub(crate) const ENTRY_BYTES_MAX: usize = RECORD_BYTES_MAX - 64;

/// The largest set of local changes written at once. 8 MiB: with it a piece of a checkpoint stays
/// below the largest record.
pub(crate) const LOCAL_BYTES_MAX: usize = 8 << 20;
