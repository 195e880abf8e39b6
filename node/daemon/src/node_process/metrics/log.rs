//! The log: what was written to it and what it takes on disk.

use std::fmt;
use std::fs;
use std::path::Path;

use super::page::{Page, signed};

impl Page<'_> {
    pub(super) fn log(&mut self, log: &tongban_wal::WalMetrics, data: &Path) -> fmt::Result {
        self.gauge(
            "tongban_log_bytes",
            "Bytes of the segments of the log on disk",
            signed(folder_bytes(&data.join("wal"))),
        )?;
        self.counter("tongban_log_syncs", "Syncs of log segments", log.syncs)?;
        self.counter(
            "tongban_log_batches",
            "Batches written to the log",
            log.batches,
        )?;
        self.counter(
            "tongban_log_records",
            "Records written to the log",
            log.records,
        )?;
        self.counter(
            "tongban_log_written_bytes",
            "Bytes written to the log",
            log.bytes,
        )?;
        self.counter(
            "tongban_log_segments_begun",
            "Segments begun",
            log.segments_begun,
        )?;
        self.counter(
            "tongban_log_segments_removed",
            "Segments removed",
            log.segments_removed,
        )
    }
}

/// Bytes of the files in a folder; one that went meanwhile counts nothing.
fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| entry.metadata().ok());
    sizes.map(|file| file.len()).sum()
}
