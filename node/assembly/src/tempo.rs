//! How often groups beat and how patient they are, the same for all groups of a node.

use tongban_consensus::GroupConfig;

/// Raft's times and sizes.
#[derive(Clone, Debug, Default)]
pub struct RaftTempo {
    /// Between two heartbeats, in milliseconds; `None` leaves the usual figure.
    pub heartbeat_ms: Option<u64>,
    /// Silence after which a voter stands, in milliseconds, least and most.
    pub election_ms: Option<(u64, u64)>,
    /// A snapshot is cut after this many entries.
    pub snapshot_every_entries: Option<u64>,
    /// Entries kept behind a snapshot.
    pub kept_entries: Option<u64>,
    /// Restarted leaders go on in their term: unsafe, for the simulator to be caught.
    pub leader_restore: bool,
}

impl RaftTempo {
    pub(crate) fn put_into(&self, config: &mut GroupConfig) {
        if let Some(ms) = self.heartbeat_ms {
            config.heartbeat_ms = ms;
        }
        if let Some((min, max)) = self.election_ms {
            config.election_ms_min = min;
            config.election_ms_max = max;
        }
        if let Some(entries) = self.snapshot_every_entries {
            config.snapshot_every_entries = entries;
        }
        if let Some(entries) = self.kept_entries {
            config.kept_entries = entries;
        }
        config.leader_restore = self.leader_restore;
    }
}
