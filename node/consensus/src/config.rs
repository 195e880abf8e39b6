//! What one group is started with, and what of it openraft is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use openraft::{Config, SnapshotPolicy};
use tongban_types::limits::FRAME_BYTES_MAX;
use tongban_types::{GroupId, NodeId};

use crate::error::StartError;

/// Messages waiting for a group's core: proposals of up to 300 KiB each among them, so that the
/// bound is a bound on memory. Beyond it callers wait.
const CORE_QUEUE_MAX: u64 = 1024;

/// Entries written to the log in one go: what a core queue can hold.
const APPEND_ENTRIES_MAX: u64 = CORE_QUEUE_MAX;

/// Time to install a received snapshot, counted from its last piece.
const INSTALL_MS_MAX: u64 = 120_000;

/// Delays between tries to a replica that does not answer: quick at first, since most absences are
/// restarts, and never above a second, since a replica that is back must catch up.
const BACKOFF: &str = "50ms 100ms 200ms 400ms ...1s";

/// How one group runs on this node.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    /// Which group.
    pub group: GroupId,
    /// This node.
    pub me: NodeId,
    /// The voters the group begins with, by the registry: the same on each of them.
    pub voters: Vec<NodeId>,
    /// The learners the group begins with.
    pub learners: Vec<NodeId>,
    /// This node was placed in the group later, by an order: it writes no first entry and waits for
    /// the leader, even if the group began with it once.
    pub joins: bool,
    /// Between two heartbeats of a leader, in milliseconds. A tick fires five times in it.
    pub heartbeat_ms: u64,
    /// The shortest silence after which a voter stands, in milliseconds; above the heartbeat.
    pub election_ms_min: u64,
    /// The longest such silence, in milliseconds.
    pub election_ms_max: u64,
    /// A snapshot is cut after this many entries.
    pub snapshot_every_entries: u64,
    /// This many entries stay in the log behind a snapshot, so that a replica that was away for a
    /// moment needs no snapshot.
    pub kept_entries: u64,
    /// Entries in one append request.
    pub append_entries_max: u64,
    /// Bytes of entries in one append request, at most half a frame; one entry is always sent.
    pub append_bytes_max: u64,
    /// Lets a restarted leader go on in its term without an election. Unsafe with asynchronous
    /// appends: two entries may get one index. Only the simulator turns it on, to be caught.
    pub leader_restore: bool,
}

impl GroupConfig {
    /// The usual figures for a group of a city: heartbeats far above a round trip between provinces,
    /// elections far above a slow sync of a disk.
    pub fn new(group: GroupId, me: NodeId, voters: Vec<NodeId>, learners: Vec<NodeId>) -> Self {
        Self {
            group,
            me,
            voters,
            learners,
            joins: false,
            heartbeat_ms: 250,
            election_ms_min: 1_000,
            election_ms_max: 2_000,
            snapshot_every_entries: 5_000,
            kept_entries: 1_000,
            append_entries_max: 64,
            append_bytes_max: 1 << 20,
            leader_restore: false,
        }
    }

    /// Every replica the group begins with.
    pub(crate) fn replicas(&self) -> BTreeSet<NodeId> {
        self.voters.iter().chain(&self.learners).copied().collect()
    }

    /// How long a leader without answers of a majority is silent, and then tries again whether it is
    /// answered, in milliseconds: a lease and the longest election, the least in which another is
    /// surely elected.
    pub(crate) fn silence_ms(&self) -> u64 {
        self.election_ms_max.saturating_mul(2)
    }

    /// The configuration of openraft, checked.
    pub(crate) fn raft(&self) -> Result<Arc<Config>, StartError> {
        if !self.joins && !self.replicas().contains(&self.me) {
            return Err(StartError::NotAmong { me: self.me });
        }
        if self.append_bytes_max > FRAME_BYTES_MAX as u64 / 2 {
            return Err(StartError::AppendBytes {
                bytes: self.append_bytes_max,
            });
        }
        let config = Config {
            cluster_name: self.group.to_string(),
            heartbeat_interval: self.heartbeat_ms,
            election_timeout_min: self.election_ms_min,
            election_timeout_max: self.election_ms_max,
            install_snapshot_timeout: INSTALL_MS_MAX,
            max_payload_entries: self.append_entries_max,
            max_append_entries: Some(APPEND_ENTRIES_MAX),
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshot_every_entries),
            max_in_snapshot_log_to_keep: self.kept_entries,
            // Only judges whether a learner is close enough to become a voter.
            replication_lag_threshold: self.snapshot_every_entries + self.kept_entries,
            api_channel_size: Some(CORE_QUEUE_MAX),
            api_batch_capacity: CORE_QUEUE_MAX,
            // Whatever waits is one append; nothing waits for company.
            api_batch_linger_ms: 0,
            backoff: BACKOFF.to_owned(),
            quorum_loss_probe_interval: Some(self.silence_ms()),
            enable_pre_vote: Some(true),
            enable_leader_restore: Some(self.leader_restore),
            ..Config::default()
        };
        let checked = config.validate();
        let checked = checked.map_err(|error| StartError::Settings(error.to_string()))?;
        Ok(Arc::new(checked))
    }
}
