//! `[replication]`: how a node keeps its groups' logs short. A trade of disk and of catching up,
//! never of safety.

use serde::{Deserialize, Deserializer};
use tongban_assembly::RaftTempo;

/// Below the first every moment is spent on snapshots; above the second a restart reads for minutes.
const ENTRIES: std::ops::RangeInclusive<u64> = 100..=1_000_000;

/// Of the entries between two snapshots, this part stays in the log behind one: enough for a
/// replica that was away for a moment.
const KEPT_PART: u64 = 5;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReplicationSection {
    /// A snapshot is cut after this many entries of a group; the usual figure when left out.
    #[serde(deserialize_with = "entries")]
    pub(super) snapshot_every_entries: Option<u64>,
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
}

fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let entries = u64::deserialize(deserializer)?;
    if ENTRIES.contains(&entries) {
        return Ok(Some(entries));
    }
    let (least, most) = (ENTRIES.start(), ENTRIES.end());
    Err(serde::de::Error::custom(format!("应为 {least} 到 {most}")))
}
