//! A node and its groups at a glance, for whoever operates or watches them.

use std::collections::BTreeMap;

use tongban_types::{Code, GroupId, NodeId, Timestamp};

use crate::ports::GroupStatus;
use crate::seams::Lane;

/// One group this node keeps a replica of.
#[derive(Clone, Debug)]
pub struct GroupReport {
    /// The group.
    pub group: GroupId,
    /// What is known of it here.
    pub status: GroupStatus,
    /// Group time.
    pub time: Timestamp,
    /// Cases in it.
    pub cases: u64,
    /// Packets not answered yet.
    pub unanswered: usize,
    /// Commands and parcels refused since start, by code.
    pub refused: BTreeMap<Code, u64>,
    /// Proofs of equivocation kept.
    pub evidence: u64,
    /// Voters in touch: as the leader hears from them, or elsewhere as this node is connected to
    /// them, itself included while its replica runs.
    pub in_touch: usize,
    /// The group can decide, as far as is known here: this replica leads and hears from a majority,
    /// or it runs and is connected to the leader.
    pub has_quorum: bool,
    /// Voters that may still be lost before the group stops taking decisions; 0 without a quorum. The leader
    /// goes by who answers it. Elsewhere it is a guess: by whom this node is connected to, though such a
    /// voter need not answer the leader, and one that this node wants nothing of may be up.
    pub can_lose: usize,
    /// This replica stopped because no majority of the voters holds its state.
    pub diverged: bool,
}

/// A node at a glance.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// Which node.
    pub node: NodeId,
    /// Its groups, its own city's first.
    pub groups: Vec<GroupReport>,
    /// Peers with a live connection.
    pub connected: Vec<NodeId>,
    /// Applications stored at this desk and not yet replicated.
    pub desk_waiting: usize,
    /// Those of them that the group refused when they were tried last: a person should look.
    pub desk_refused: usize,
    /// Case keys held.
    pub case_keys: usize,
    /// Version of the registry in force; 0 before the first.
    pub registry: u64,
    /// What was refused to peers since start, by lane and code.
    pub refused_to_peers: BTreeMap<(Lane, Code), u64>,
    /// Deliveries of parcels handed on for fellow voters since start.
    pub relayed: u64,
    /// It is being drained: it takes no new case and no lead.
    pub draining: bool,
    /// The node cannot go on: its log, its store, a group or one of its tasks failed.
    pub failed: bool,
}

/// What supervisors and load balancers ask for often: looked up, never counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own"
)]
pub struct NodeHealth {
    /// The node cannot go on.
    pub failed: bool,
    /// It is being drained.
    pub draining: bool,
    /// Its own city's group runs here.
    pub runs_own_group: bool,
    /// That group can decide, as far as is known here.
    pub has_quorum: bool,
    /// What that group holds is being filled from a snapshot, and nothing of it can be read.
    pub is_filling: bool,
}
