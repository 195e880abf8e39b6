//! Every bound of the store, with its reason.

pub use tongban_types::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// A group's position: a log id of the consensus and the membership it stands in.
pub const POSITION_BYTES_MAX: usize = 4 * 1024;

/// All keys and values of one commit: sixteen frames between nodes. A commit is gathered in memory and
/// becomes part of one batch of the engine, in which each of its pairs brings the page it is on, so the
/// bound also bounds memory, many times itself where pairs are small and scattered.
pub const COMMIT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A segment of the engine's file. The engine moves a message larger than a quarter of a segment
/// to a file of its own that it never syncs, and one message may hold a whole node: a leaf of up to 16 pairs
/// before it splits, and fewer than 24 while it takes in a merged neighbour, or 256 leaves by their first keys.
pub(crate) const SEGMENT_BYTES: usize = 1024 * 1024;

const LEAF_PAIRS_MAX: usize = 24;
const NODE_LEAVES_MAX: usize = 257;
const PAIR_OVERHEAD_BYTES: usize = 64;
const _: () = assert!(
    LEAF_PAIRS_MAX * (POSITION_BYTES_MAX + KEY_BYTES_MAX + PAIR_OVERHEAD_BYTES) < SEGMENT_BYTES / 4
);
const _: () = assert!(NODE_LEAVES_MAX * (KEY_BYTES_MAX + PAIR_OVERHEAD_BYTES) < SEGMENT_BYTES / 4);

/// Bytes of log, as reckoned, that are not durable yet of which a power cut leaves whole commits: half a segment. With
/// more than a segment the engine may have written over what it needs to undo a batch that was torn (0023).
pub(crate) const UNTORN_BYTES_MAX: usize = SEGMENT_BYTES / 2;

/// What a change of a pair adds to the log, about, and seldom more than twice that: the pair itself, and its share of
/// the leaf, some sixteen pairs, which the engine writes again once ten changes were written beside it.
pub(crate) const fn change_log_bytes(key_bytes: usize, value_bytes: usize) -> usize {
    key_bytes + value_bytes + 16 * (key_bytes + 24) / 10
}

/// And what a new pair does besides: after each eight of them a leaf is split, and the first keys of up to 256 leaves
/// are written again.
pub(crate) const fn growth_log_bytes(key_bytes: usize) -> usize {
    256 * (key_bytes + 8) / 8
}

/// Milliseconds in which nothing sinks after which what has sunk is made durable, if it is so much that a power cut
/// could tear it: soon, so that such a cut seldom meets it, and not between two layers of a busy group.
pub(crate) const QUIET_MS: u64 = 1_000;

/// A page that is full: large enough that what the engine takes for a place is spread over dozens of
/// pairs, small enough to be written again for one of them.
pub(crate) const PAGE_BYTES: usize = 16 * 1024;

/// The longest page: one that holds nothing but the largest pair.
pub(crate) const PAGE_BYTES_MAX: usize = VALUE_BYTES_MAX + KEY_BYTES_MAX + PAIR_OVERHEAD_BYTES;
const _: () = assert!(PAGE_BYTES <= PAGE_BYTES_MAX && PAGE_BYTES_MAX <= u16::MAX as usize);

/// Pages are not made smaller than this for being changed here and there: below it the engine's own
/// cost of a place counts for more than the bytes.
pub(crate) const PAGE_BYTES_MIN: usize = 1024;

/// A page written again for less than this part of it is cut in two.
pub(crate) const FRESH_PART_MIN: usize = 8;

/// The engine's own cache is this part of the memory a store is given: it holds where pages stand, some hundred bytes
/// a page.
pub(crate) const ENGINE_BYTES_PART: u64 = 4;

/// And pages at hand are this part.
pub(crate) const KNOWN_BYTES_PART: u64 = 2;

/// A file of pages that has grown so long is not appended to any more. Files stay open, so that they must not be
/// many, and that much may lie dead in them at least.
pub const PAGE_FILE_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Bytes of pages gathered for one write to their file.
pub(crate) const APPENDED_AT_ONCE_BYTES: usize = 1024 * 1024;

/// Pages looked at for those of a file, and how many and how much of them is moved, in one step of a pass: some
/// milliseconds, so that what waits to sink does not wait for a pass; and so few places that a power cut
/// cannot tear the batch.
pub(crate) const LOOKED_AT_PER_STEP_MAX: usize = 16 * 1024;
pub(crate) const MOVED_PER_STEP_MAX: usize = 512;
pub(crate) const MOVED_BYTES_PER_STEP_MAX: usize = 4 * 1024 * 1024;

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

/// Pages forgotten in one batch by `clear`, so that other groups' commits get in between, and few enough that a
/// power cut cannot tear the batch.
pub(crate) const CLEARED_PER_BATCH_MAX: usize = 512;

/// Bytes the engine's log grows by before the engine is opened anew: fifty thousand new places of pages or more. A
/// start reads about this much of the log at most, besides the index. Readers wait about as long each time the engine
/// is opened anew, and that must stay well below the shortest election.
pub const LOG_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Tries to take the engine's own lock, [`LOCK_RETRY_MS`] apart: a store just closed in this
/// process may be held for moments by the engine's last background task.
pub(crate) const LOCK_TRIES_MAX: u32 = 100;

/// Milliseconds between two tries: with [`LOCK_TRIES_MAX`] a second in all.
pub(crate) const LOCK_RETRY_MS: u64 = 10;

/// Tries when the engine is opened anew, [`LOCK_RETRY_MS`] apart, for each of two openings: a minute. The folder
/// is ours, so only the engine's own last tasks can hold the lock, and those wait for the disk; to give up stops
/// the node.
pub(crate) const RENEWAL_LOCK_TRIES_MAX: u32 = 3_000;

const _: () = {
    let step = MOVED_PER_STEP_MAX * change_log_bytes(KEY_BYTES_MAX, 16);
    let clear = CLEARED_PER_BATCH_MAX * change_log_bytes(KEY_BYTES_MAX, 0);
    assert!(step < UNTORN_BYTES_MAX && clear < UNTORN_BYTES_MAX);
};
