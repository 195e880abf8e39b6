//! Every bound of the store, with its reason.

/// Bytes written before they are made durable in the background: what a client sends again after a
/// crash at most, and what a slow disk takes in a second.
pub(crate) const UNSYNCED_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes read at once while a whole file is hashed.
pub(crate) const HASHING_BYTES: usize = 1024 * 1024;

/// Bytes of one range: what a caller holds of a file in memory.
pub(crate) const RANGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Uploads of one token that are under way or not yet expired: two cases with all the files a case
/// may have.
pub(crate) const UPLOADS_PER_OWNER_MAX: usize = 64;

/// Uploads of all: each costs two open files while it is under way.
pub(crate) const UPLOADS_MAX: usize = 1_024;

/// Files being received at once; each costs three open files. A node fetches fewer at a time.
pub(crate) const RECEIVING_MAX: usize = 256;

/// Records of offsets kept behind one another before the file of them is begun anew.
pub(crate) const OFFSET_RECORDS_MAX: u64 = 4_096;

/// Locks over the places of whole files: two files wait for each other only if their hashes begin
/// alike, and the slow one is on its way into a bucket.
pub(crate) const PLACE_LOCKS: usize = 64;
