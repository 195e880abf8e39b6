//! `[replication]`: how a node keeps its groups' logs short. A trade of disk and of catching up,
//! never of safety.

use serde::{Deserialize, Deserializer, Serialize};
use tongban_api::Said;
use tongban_assembly::RaftTempo;
use tongban_wal::WalConfig;

use crate::handed_through::refusal;

/// Below the first every moment is spent on snapshots; above the second a restart reads for minutes.
const ENTRIES: std::ops::RangeInclusive<u64> = 20..=1_000_000;

/// KiB of one file of the log. Below the first most of the work is beginning files; above the second
/// is more than the log reads of one file.
const SEGMENT_KIB: std::ops::RangeInclusive<u64> = 64..=1_048_576;

/// Of the entries between two snapshots, this part stays in the log behind one: enough for a
/// replica that was away for a moment.
const KEPT_PART: u64 = 5;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReplicationSection {
    /// A snapshot is cut after this many entries of a group; the usual figure when left out.
    #[serde(deserialize_with = "entries")]
    pub(super) snapshot_every_entries: Option<u64>,
    /// The size of a file of the log, for machines with small disks; the usual figure when left out.
    #[serde(deserialize_with = "segment_kib")]
    pub(super) segment_kib: Option<u64>,
}

impl ReplicationSection {
    pub(super) fn tempo(&self) -> RaftTempo {
        RaftTempo {
            snapshot_every_entries: self.snapshot_every_entries,
            kept_entries: self
                .snapshot_every_entries
                .map(|entries| entries / KEPT_PART),
            ..RaftTempo::default()
        }
    }

    pub(super) fn log(&self) -> WalConfig {
        let usual = WalConfig::default();
        WalConfig {
            segment_bytes: self
                .segment_kib
                .map_or(usual.segment_bytes, |kib| kib << 10),
            ..usual
        }
    }
}

fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(&ENTRIES, deserializer)
}

fn segment_kib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(&SEGMENT_KIB, deserializer)
}

fn within<'de, D: Deserializer<'de>>(
    bounds: &std::ops::RangeInclusive<u64>,
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let written = u64::deserialize(deserializer)?;
    if bounds.contains(&written) {
        return Ok(Some(written));
    }
    let (least, most) = (bounds.start(), bounds.end());
    Err(refusal(&Said::new(
        format!("应为 {least} 到 {most}"),
        format!("must be from {least} to {most}"),
    )))
}
