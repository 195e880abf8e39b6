//! Every bound of the store, with its reason.

/// Bytes written before they are made durable in the background: what a client sends again after a
/// crash at most, and what a slow disk takes in a second.
pub(crate) const UNSYNCED_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes read at once while a whole file is hashed.
pub(crate) const HASHING_BYTES: usize = 1024 * 1024;

/// Bytes of one range: what a caller holds of a file in memory.
pub(crate) const RANGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Uploads of one token under way: two cases with all the files a case may have.
pub(crate) const UPLOADS_PER_OWNER_MAX: usize = 64;

/// Uploads of all under way: each costs two open files.
pub(crate) const UPLOADS_MAX: usize = 1_024;

/// Whole uploads of one token that have not expired: a clerk's day, with sixty-four cases that have all the
/// files a case may have.
pub(crate) const WHOLE_PER_OWNER_MAX: usize = 2_048;

/// Whole uploads of all that have not expired: each costs a small file and a few hundred bytes of memory, and
/// whoever names a file looks through them.
pub(crate) const WHOLE_MAX: usize = 16_384;

/// Files being received at once; each costs three open files. A node fetches fewer at a time.
pub(crate) const RECEIVING_MAX: usize = 256;

/// Records of offsets kept behind one another before the file of them is begun anew.
pub(crate) const OFFSET_RECORDS_MAX: u64 = 4_096;

/// Locks over the places of whole files: two files wait for each other only if their hashes begin
/// alike, and the slow one is on its way into a bucket.
pub(crate) const PLACE_LOCKS: usize = 64;
