//! The header of a segment file, and its name.

use super::{Cursor, FORMAT};

/// Where batches begin: the header has the first sector to itself, so that no later write can tear
/// it. 512 bytes is the smallest unit a disk writes whole.
pub(crate) const FIRST_BATCH: usize = 512;

const MAGIC: &[u8; 8] = b"TBWALSEG";
const HEADER_BYTES: usize = 48;
const CHECKED_FROM: usize = 12;

/// Magic, checksum of what follows it, format, 2 zero bytes, sequence, end of the segment before,
/// salt, 8 zero bytes. Synced, with the file's name, before the first batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// The position of this segment in the log, from 1.
    pub(crate) sequence: u64,
    /// Where the batches of the segment before end; all of it was durable when this one began.
    pub(crate) previous_end: u64,
    /// What the checksums of this segment begin with.
    pub(crate) salt: u64,
}

/// What the first sector of a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderRead {
    Known(SegmentHeader),
    UnknownFormat(u16),
    Invalid,
}

impl SegmentHeader {
    /// The whole first sector.
    pub(crate) fn encode(&self) -> [u8; FIRST_BATCH] {
        let mut sector = [0; FIRST_BATCH];
        sector[..8].copy_from_slice(MAGIC);
        sector[12..14].copy_from_slice(&FORMAT.to_le_bytes());
        sector[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        sector[24..32].copy_from_slice(&self.previous_end.to_le_bytes());
        sector[32..40].copy_from_slice(&self.salt.to_le_bytes());
        let checksum = crc32c::crc32c(&sector[CHECKED_FROM..HEADER_BYTES]);
        sector[8..12].copy_from_slice(&checksum.to_le_bytes());
        sector
    }

    /// Reads the first sector of a file.
    pub(crate) fn decode(bytes: &[u8]) -> HeaderRead {
        Self::decode_checked(bytes).unwrap_or(HeaderRead::Invalid)
    }

    fn decode_checked(bytes: &[u8]) -> Option<HeaderRead> {
        let sector = bytes.get(..FIRST_BATCH)?;
        let mut cursor = Cursor(sector);
        let magic = cursor.take(MAGIC.len())?;
        let checksum = cursor.u32()?;
        if magic != MAGIC || checksum != crc32c::crc32c(&sector[CHECKED_FROM..HEADER_BYTES]) {
            return None;
        }
        let format = cursor.u16()?;
        if format != FORMAT {
            return Some(HeaderRead::UnknownFormat(format));
        }
        cursor.u16()?;
        Some(HeaderRead::Known(Self {
            sequence: cursor.u64()?,
            previous_end: cursor.u64()?,
            salt: cursor.u64()?,
        }))
    }
}

/// The name of a segment inside its folder.
pub(crate) fn segment_name(sequence: u64) -> String {
    format!("{sequence:016}.log")
}

/// The sequence of a segment's name; `None` for other files.
pub(crate) fn segment_sequence(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let well_formed = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_no_flipped_bit_passes() {
        let header = SegmentHeader {
            sequence: 7,
            previous_end: 4096,
            salt: 0x1122_3344_5566_7788,
        };
        let sector = header.encode();
        assert_eq!(SegmentHeader::decode(&sector), HeaderRead::Known(header));
        for bit in 0..HEADER_BYTES * 8 {
            let mut broken = sector;
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&broken), HeaderRead::Invalid);
        }
        assert_eq!(SegmentHeader::decode(&sector[..511]), HeaderRead::Invalid);
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut sector = SegmentHeader {
            sequence: 1,
            previous_end: 0,
            salt: 0,
        }
        .encode();
        sector[12] = 2;
        let checksum = crc32c::crc32c(&sector[CHECKED_FROM..HEADER_BYTES]);
        sector[8..12].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&sector), HeaderRead::UnknownFormat(2));
    }

    #[test]
    fn only_sixteen_digits_name_a_segment() {
        assert_eq!(segment_sequence(&segment_name(42)), Some(42));
        assert_eq!(segment_sequence("42.log"), None);
        assert_eq!(segment_sequence("+000000000000042.log"), None);
        assert_eq!(segment_sequence("checkpoint"), None);
    }
}
