//! Every bound of the store, with its reason.

pub use tongban_types::limits::VALUE_BYTES_MAX;

/// One key of a group: a table's tag and a few identifiers take under 100 bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// A group's position: a log id of the consensus and the membership it stands in.
pub const POSITION_BYTES_MAX: usize = 4 * 1024;

/// All keys and values of one commit: sixteen frames between nodes. A commit is gathered in memory and
/// becomes part of one batch of the engine, in which each of its pairs brings the page it is on, so the
/// bound also bounds memory, many times itself where pairs are small and scattered.
pub const COMMIT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A segment of the engine's file. The engine moves a message larger than a quarter of a segment
/// to a file of its own that it never syncs, and one message may hold a whole leaf: up to 16 pairs
/// before it splits, and fewer than 24 while it takes in a merged neighbour. So a quarter of a
/// segment must hold 24 of the largest pairs.
pub(crate) const SEGMENT_BYTES: usize = 4 * 1024 * 1024;

const LEAF_PAIRS_MAX: usize = 24;
const PAIR_OVERHEAD_BYTES: usize = 64;
const _: () = assert!(
    LEAF_PAIRS_MAX * (PAGE_BYTES_MAX + KEY_BYTES_MAX + PAIR_OVERHEAD_BYTES) < SEGMENT_BYTES / 4
);

/// Bytes of log, as reckoned, that are not durable yet of which a power cut leaves whole commits: half a segment, since
/// leaves that are cut in two make them half as many again. With more than a segment the engine may have written over
/// what it needs to undo a batch that was torn (0023).
pub(crate) const UNTORN_BYTES_MAX: usize = SEGMENT_BYTES / 2;

/// What a change adds to the log besides its own bytes: the engine writes a leaf again, of some sixteen pages, once
/// ten changes were written beside it.
pub(crate) const LEAF_SHARE_BYTES: usize = 16 * PAGE_BYTES / 10;

/// Milliseconds in which nothing sinks after which what has sunk is made durable, if it is so much that a power cut
/// could tear it: soon, so that such a cut seldom meets it, and not between two layers of a busy group.
pub(crate) const QUIET_MS: u64 = 1_000;

/// A page that is full: large enough that what the engine takes for one value is spread over dozens of
/// pairs, small enough to be written again for one of them.
pub(crate) const PAGE_BYTES: usize = 16 * 1024;

/// The longest page: one that holds nothing but the largest pair.
pub(crate) const PAGE_BYTES_MAX: usize = VALUE_BYTES_MAX + KEY_BYTES_MAX + PAIR_OVERHEAD_BYTES;
const _: () = assert!(PAGE_BYTES <= PAGE_BYTES_MAX && PAGE_BYTES_MAX <= u16::MAX as usize);

/// Pages are not made smaller than this for being changed here and there: below it the engine's own
/// cost of a value counts for more than the bytes.
pub(crate) const PAGE_BYTES_MIN: usize = 1024;

/// A page written again for less than this part of it is cut in two.
pub(crate) const FRESH_PART_MIN: usize = 8;

/// Pages at hand may take the engine's cache divided by this, besides it. What the engine has cached as
/// well shares its bytes with them, so that memory grows by less than that.
pub(crate) const KNOWN_BYTES_PART: u64 = 2;

/// Changes gathered in memory before they sink into the engine: enough that a busy group's keys meet
/// on the same pages, few enough that readers wait some milliseconds for the batch at most.
pub(crate) const SUNK_AT_BYTES: usize = 1024 * 1024;

/// Changes that sink in one batch of the engine, besides the commit that made them so many: in it each pair
/// brings the page it is on, so that what gathers behind a slow disk would take many times its own bytes.
/// Not less, for what is changed again and again is written once a batch.
pub(crate) const PART_BYTES: usize = 4 * 1024 * 1024;
const _: () = assert!(SUNK_AT_BYTES < PART_BYTES && PART_BYTES < LAYER_BYTES_MAX);

/// Changes in memory above which a commit waits for the engine: a sync of a slow disk, in which
/// nothing sinks, takes a second, and a busy group writes some 16 MiB in it.
pub(crate) const LAYER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Keys forgotten in one batch by `clear`, so that other groups' commits get in between.
pub(crate) const CLEARED_PER_BATCH_MAX: usize = 1024;

/// Bytes the engine's log grows by before the engine is opened anew. A start reads about this much of the
/// log at most, besides the index: half a second on one core of a small machine. Readers wait about as
/// long each time the engine is opened anew, and that must stay well below the shortest election.
pub const LOG_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Tries to take the engine's own lock, [`LOCK_RETRY_MS`] apart: a store just closed in this
/// process may be held for moments by the engine's last background task.
pub(crate) const LOCK_TRIES_MAX: u32 = 100;

/// Milliseconds between two tries: with [`LOCK_TRIES_MAX`] a second in all.
pub(crate) const LOCK_RETRY_MS: u64 = 10;

/// Tries when the engine is opened anew, [`LOCK_RETRY_MS`] apart, for each of two openings: a minute. The folder
/// is ours, so only the engine's own last tasks can hold the lock, and those wait for the disk; to give up stops
/// the node.
pub(crate) const RENEWAL_LOCK_TRIES_MAX: u32 = 3_000;
