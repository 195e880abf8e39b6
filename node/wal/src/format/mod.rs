//! The bytes on disk, format 1; all numbers little endian. Pure: no disk, no state.
//!
//! A **segment** is a header of one sector, then batches, then zeros. A **batch** is what one write
//! put down and one sync made durable: a header, records back to back, zeros up to the next
//! multiple of 8. Each batch says up to where the segment was known durable when it was written: a
//! whole batch behind a broken place thus tells damage (the place had been synced) from a write
//! that the power cut tore. All checksums are CRC-32C begun from a random salt of the segment, so
//! that bytes of another segment, or bytes that a stranger placed inside an entry to look like a
//! batch, never check.

mod batch;
mod cursor;
mod local;
mod record;
mod segment;

pub(crate) use batch::{BATCH_ALIGNMENT, BatchHeader, BatchWriter, is_zero, read_batch};
pub(crate) use cursor::Cursor;
pub(crate) use local::{LocalChange, decode_changes, encode_change};
pub(crate) use record::{ENTRY_OVERHEAD, Extent, Record};
pub(crate) use segment::{FIRST_BATCH, HeaderRead, SegmentHeader, segment_name, segment_sequence};

/// The version of everything in this module. A change of any byte takes a new one.
pub(crate) const FORMAT: u16 = 1;

/// Begins a checksum: every checksum of a file starts from its salt.
pub(crate) fn salted(salt: u64) -> u32 {
    crc32c::crc32c(&salt.to_le_bytes())
}
