//! Reads segments and replays their batches: where a segment ends, and whether what lies behind
//! is a torn write or damage.

use bytes::Bytes;
use tongban_runtime::seams::{Disk, DiskFile};

use crate::config::SEGMENT_BYTES_MAX;
use crate::damage::Damage;
use crate::error::{DiskStep, OpenError};
use crate::files::segment_path;
use crate::format::{
    BATCH_ALIGNMENT, BatchHeader, FIRST_BATCH, FORMAT, HeaderRead, SegmentHeader, is_zero,
    read_batch,
};
use crate::index::Place;
use crate::replay::Replay;

/// Zeros are written over a torn tail this many at a time.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A segment whose header is whole.
pub(crate) struct Found<F> {
    pub(crate) header: SegmentHeader,
    pub(crate) file: F,
    pub(crate) bytes: Bytes,
}

/// Reads a file whole.
pub(crate) fn read_file<D: Disk>(disk: &D, path: &str) -> Result<(D::File, Bytes), OpenError> {
    let file = disk
        .open(path)
        .map_err(OpenError::disk(DiskStep::Opening, path))?;
    let length = file
        .len()
        .map_err(OpenError::disk(DiskStep::Measuring, path))?;
    if length > SEGMENT_BYTES_MAX.saturating_mul(2) {
        return Err(OpenError::damaged(path, 0, Damage::LargerThanAnySegment));
    }
    let length = usize::try_from(length)
        .map_err(|_| OpenError::damaged(path, 0, Damage::LargerThanMemory))?;
    let mut bytes = vec![0; length];
    file.read_at(0, &mut bytes)
        .map_err(OpenError::disk(DiskStep::Reading, path))?;
    Ok((file, Bytes::from(bytes)))
}

/// Reads a segment that must have a whole header.
pub(crate) fn read_segment<D: Disk>(disk: &D, sequence: u64) -> Result<Found<D::File>, OpenError> {
    let path = segment_path(sequence);
    let (file, bytes) = read_file(disk, &path)?;
    match SegmentHeader::decode(&bytes) {
        HeaderRead::Known(header) if header.sequence == sequence => Ok(Found {
            header,
            file,
            bytes,
        }),
        HeaderRead::Known(_) => Err(OpenError::damaged(&path, 0, Damage::OtherSegment)),
        HeaderRead::UnknownFormat(found) => Err(OpenError::UnknownFormat {
            file: path,
            found,
            known: FORMAT,
        }),
        HeaderRead::Invalid => Err(OpenError::damaged(&path, 0, Damage::HeaderCheck)),
    }
}

/// Replays whole batches from the front and returns where they end.
fn replay_batches<F>(found: &Found<F>, replay: &mut Replay) -> Result<usize, OpenError> {
    let SegmentHeader { sequence, salt, .. } = found.header;
    let mut at = FIRST_BATCH;
    while let Some((records, next)) = read_batch(&found.bytes, at, sequence, salt) {
        for (record, extent) in records {
            let place = Place {
                segment: sequence,
                extent,
            };
            replay
                .accept(record, Some(place))
                .map_err(|what| OpenError::damaged(&segment_path(sequence), at, what))?;
        }
        at = next;
    }
    Ok(at)
}

/// A segment with one behind it was durable to its end, which the next one's header names.
pub(crate) fn replay_sealed<D: Disk>(
    disk: &D,
    found: &Found<D::File>,
    next: u64,
    replay: &mut Replay,
) -> Result<u64, OpenError> {
    let expected = read_segment_header(disk, next)?.previous_end;
    let end = replay_batches(found, replay)? as u64;
    if end == expected {
        return Ok(end);
    }
    Err(OpenError::Damaged {
        file: segment_path(found.header.sequence),
        offset: end.min(expected),
        what: Damage::SealedBatch,
    })
}

fn read_segment_header<D: Disk>(disk: &D, sequence: u64) -> Result<SegmentHeader, OpenError> {
    let path = segment_path(sequence);
    let file = disk
        .open(&path)
        .map_err(OpenError::disk(DiskStep::Opening, &path))?;
    let mut sector = [0; FIRST_BATCH];
    let length = file
        .len()
        .map_err(OpenError::disk(DiskStep::Measuring, &path))?;
    if length >= FIRST_BATCH as u64 {
        file.read_at(0, &mut sector)
            .map_err(OpenError::disk(DiskStep::Reading, &path))?;
    }
    match SegmentHeader::decode(&sector) {
        HeaderRead::Known(header) => Ok(header),
        HeaderRead::UnknownFormat(found) => Err(OpenError::UnknownFormat {
            file: path,
            found,
            known: FORMAT,
        }),
        HeaderRead::Invalid => Err(OpenError::damaged(&path, 0, Damage::HeaderCheck)),
    }
}

/// The newest segment ends where its whole batches end, and what the power left behind them is
/// overwritten with zeros, unless a batch behind says that this place had been durable.
pub(crate) fn replay_newest<F: DiskFile>(
    found: &Found<F>,
    replay: &mut Replay,
) -> Result<u64, OpenError> {
    let SegmentHeader { sequence, salt, .. } = found.header;
    let path = segment_path(sequence);
    let end = replay_batches(found, replay)?;
    let tail = found.bytes.get(end..).unwrap_or_default();
    if is_zero(tail) {
        return Ok(end as u64);
    }
    let was_durable = (end..found.bytes.len())
        .step_by(BATCH_ALIGNMENT)
        .filter_map(|at| BatchHeader::decode(&found.bytes, at, sequence, salt))
        .any(|header| header.durable > end as u64);
    if was_durable {
        return Err(OpenError::damaged(&path, end, Damage::DurableBatch));
    }
    tracing::debug!(
        segment = sequence,
        end,
        "clearing what lies behind the last whole batch"
    );
    for (position, chunk) in tail.chunks(ZEROS.len()).enumerate() {
        if !is_zero(chunk) {
            found
                .file
                .write_at((end + position * ZEROS.len()) as u64, &ZEROS[..chunk.len()])
                .map_err(OpenError::disk(DiskStep::Clearing, &path))?;
        }
    }
    Ok(end as u64)
}
