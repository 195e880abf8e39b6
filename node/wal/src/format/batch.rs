//! Batches: magic u32, checksum u32 of the rest of the header, length u32 of the records, count
//! u32, segment u64, offset u64 of this header, durable u64, then the records.

use bytes::Bytes;

use super::{Cursor, Extent, Record, salted};

const MAGIC: u32 = 0xB17C_4A90;
const HEADER_BYTES: usize = 40;
const CHECKED_FROM: usize = 8;

/// Batches begin at multiples of this, which makes looking for one behind a broken place cheap.
pub(crate) const BATCH_ALIGNMENT: usize = 8;

/// The header of a batch, checked against its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    /// Bytes of records behind the header.
    pub(crate) length: usize,
    /// Records.
    pub(crate) count: u32,
    /// All bytes of the segment before this offset were durable when the batch was written.
    pub(crate) durable: u64,
}

impl BatchHeader {
    /// The header at `offset` of a segment; `None` if there is none or it says another place.
    pub(crate) fn decode(segment: &[u8], offset: usize, sequence: u64, salt: u64) -> Option<Self> {
        let header = segment.get(offset..)?.get(..HEADER_BYTES)?;
        let mut cursor = Cursor(header);
        if cursor.u32()? != MAGIC {
            return None;
        }
        let checksum = cursor.u32()?;
        if checksum != crc32c::crc32c_append(salted(salt), &header[CHECKED_FROM..]) {
            return None;
        }
        let decoded = Self {
            length: usize::try_from(cursor.u32()?).ok()?,
            count: cursor.u32()?,
            durable: {
                let own_place = cursor.u64()? == sequence && cursor.u64()? == offset as u64;
                cursor.u64().filter(|_| own_place)?
            },
        };
        Some(decoded).filter(|header| header.durable <= offset as u64)
    }
}

/// Reads the whole batch at `offset`: its records with their places, and where the next batch
/// begins. `None` if anything of it is missing or broken.
pub(crate) fn read_batch(
    segment: &Bytes,
    offset: usize,
    sequence: u64,
    salt: u64,
) -> Option<(Vec<(Record, Extent)>, usize)> {
    let header = BatchHeader::decode(segment, offset, sequence, salt)?;
    let mut at = offset + HEADER_BYTES;
    let end = at.checked_add(header.length)?;
    if end > segment.len() {
        return None;
    }
    let seed = salted(salt);
    let mut records = Vec::new();
    while at < end {
        let (record, length) = Record::decode(&segment.slice(at..end), seed)?;
        let extent = Extent {
            offset: at as u64,
            length: u32::try_from(length).ok()?,
        };
        records.push((record, extent));
        at += length;
    }
    let whole = usize::try_from(header.count).ok()? == records.len();
    whole.then(|| (records, end.next_multiple_of(BATCH_ALIGNMENT)))
}

/// Whether nothing was ever written here.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let mut chunks = bytes.chunks_exact(64);
    chunks.all(|chunk| chunk.iter().fold(0, |any, byte| any | byte) == 0)
        && chunks.remainder().iter().all(|byte| *byte == 0)
}

/// Builds one batch in a buffer that is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct BatchWriter {
    buffer: Vec<u8>,
    count: u32,
    offset: u64,
    salted: u32,
}

impl BatchWriter {
    /// How many bytes a batch of records of this length takes.
    pub(crate) fn size(record_bytes: usize) -> usize {
        (HEADER_BYTES + record_bytes).next_multiple_of(BATCH_ALIGNMENT)
    }

    /// Begins a batch at `offset` of a segment.
    pub(crate) fn begin(&mut self, offset: u64, salt: u64) {
        self.buffer.clear();
        self.buffer.resize(HEADER_BYTES, 0);
        self.count = 0;
        self.offset = offset;
        self.salted = salted(salt);
    }

    /// Adds a record and returns where it will lie.
    pub(crate) fn push(&mut self, record: &Record) -> Extent {
        let start = self.buffer.len();
        record.encode(self.salted, &mut self.buffer);
        self.count += 1;
        Extent {
            offset: self.offset + start as u64,
            length: u32::try_from(self.buffer.len() - start).expect("a record is at most 16 MiB"),
        }
    }

    /// Ends the batch and returns its bytes.
    pub(crate) fn finish(&mut self, sequence: u64, durable: u64) -> &[u8] {
        let length = u32::try_from(self.buffer.len() - HEADER_BYTES)
            .expect("a batch is bounded by its configuration and one record");
        self.buffer[..4].copy_from_slice(&MAGIC.to_le_bytes());
        self.buffer[8..12].copy_from_slice(&length.to_le_bytes());
        self.buffer[12..16].copy_from_slice(&self.count.to_le_bytes());
        self.buffer[16..24].copy_from_slice(&sequence.to_le_bytes());
        self.buffer[24..32].copy_from_slice(&self.offset.to_le_bytes());
        self.buffer[32..40].copy_from_slice(&durable.to_le_bytes());
        let checked = &self.buffer[CHECKED_FROM..HEADER_BYTES];
        let checksum = crc32c::crc32c_append(self.salted, checked);
        self.buffer[4..8].copy_from_slice(&checksum.to_le_bytes());
        let padded = self.buffer.len().next_multiple_of(BATCH_ALIGNMENT);
        self.buffer.resize(padded, 0);
        &self.buffer
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, GroupId};

    use super::*;

    fn vote(bytes: &'static [u8]) -> Record {
        Record::Vote {
            group: GroupId(CityCode::new(350_100).unwrap()),
            bytes: Bytes::from_static(bytes),
        }
    }

    #[test]
    fn a_batch_is_read_whole_or_not_at_all() {
        let mut writer = BatchWriter::default();
        writer.begin(8, 5);
        let places = [writer.push(&vote(b"one")), writer.push(&vote(b"three"))];
        let mut segment = vec![0; 8];
        segment.extend_from_slice(writer.finish(3, 8));
        let whole = Bytes::from(segment.clone());
        let (records, next) = read_batch(&whole, 8, 3, 5).unwrap();
        assert_eq!(next, segment.len());
        assert_eq!(
            records,
            vec![(vote(b"one"), places[0]), (vote(b"three"), places[1])]
        );
        for (sequence, salt) in [(4, 5), (3, 6)] {
            assert!(read_batch(&whole, 8, sequence, salt).is_none());
        }
        let moved = Bytes::from([vec![0; 8], segment.clone()].concat());
        assert!(read_batch(&moved, 16, 3, 5).is_none());
        for length in 0..segment.len() {
            let torn = whole.slice(..length);
            let padding_only =
                segment.len() - length < BATCH_ALIGNMENT && is_zero(&segment[length..]);
            assert!(read_batch(&torn, 8, 3, 5).is_none() || padding_only);
        }
    }

    #[test]
    fn zeros_are_known_at_any_length() {
        for length in [0, 1, 63, 64, 65, 200] {
            let mut bytes = vec![0; length];
            assert!(is_zero(&bytes));
            if let Some(last) = bytes.last_mut() {
                *last = 1;
                assert!(!is_zero(&bytes));
            }
        }
    }
}
