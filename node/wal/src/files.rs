//! The files of the log and how they come into being and go.

use std::io;

use openraft_rt::AsyncRuntime;
use rand::Rng as _;
use tongban_runtime::seams::{Disk, DiskFile};

use crate::config::{SEGMENT_BYTES_MAX, WalConfig};
use crate::format::{BatchWriter, FIRST_BATCH, SegmentHeader, segment_name};

/// The folder of the log.
pub(crate) const FOLDER: &str = "wal";
/// Local records and marks of groups as of some segment.
pub(crate) const CHECKPOINT: &str = "wal/checkpoint";
/// A checkpoint being written.
pub(crate) const CHECKPOINT_ASIDE: &str = "wal/checkpoint.new";

/// A segment's name on the disk.
pub(crate) fn segment_path(sequence: u64) -> String {
    format!("{FOLDER}/{}", segment_name(sequence))
}

/// A number no one outside knows, so that no one outside can make bytes that check.
pub(crate) fn draw_salt<R: AsyncRuntime>() -> u64 {
    R::thread_rng().next_u64()
}

/// The segment the writer appends to.
#[derive(Clone, Debug)]
pub(crate) struct Active<F> {
    pub(crate) sequence: u64,
    pub(crate) file: F,
    pub(crate) salt: u64,
    pub(crate) capacity: u64,
    /// Where the next batch begins; everything before it is durable.
    pub(crate) end: u64,
}

/// Begins a segment with room for a batch of `record_bytes`. It is durable, with its name, when
/// this returns, and only then may anything rely on it.
pub(crate) async fn begin_segment<D: Disk>(
    disk: &D,
    config: &WalConfig,
    header: SegmentHeader,
    record_bytes: usize,
) -> io::Result<Active<D::File>> {
    let needed = (FIRST_BATCH + BatchWriter::size(record_bytes)) as u64;
    let capacity = config.segment_bytes.min(SEGMENT_BYTES_MAX).max(needed);
    let file = disk.create(&segment_path(header.sequence))?;
    file.allocate(capacity)?;
    file.write_at(0, &header.encode())?;
    file.sync().await?;
    disk.sync_folder(FOLDER).await?;
    Ok(Active {
        sequence: header.sequence,
        file,
        salt: header.salt,
        capacity,
        end: FIRST_BATCH as u64,
    })
}
