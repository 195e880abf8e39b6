//! Members of a group in the words of the runtime, and as openraft keeps them.

use std::collections::BTreeSet;

use openraft::errors::MembershipError;
use tongban_runtime::ports::Members;
use tongban_types::NodeId;

use crate::raft_types::{Membership, membership};
use crate::status::node;

/// What a membership of openraft's says.
pub(crate) fn members_of(membership: &Membership) -> Members {
    let set = |ids: &BTreeSet<u64>| ids.iter().copied().filter_map(node).collect();
    Members {
        voter_sets: membership.get_joint_config().iter().map(set).collect(),
        replicas: membership.nodes().filter_map(|(id, _)| node(*id)).collect(),
    }
}

/// The membership openraft is given.
pub(crate) fn membership_of(members: &Members) -> Result<Membership, MembershipError<u64>> {
    let number = |node: &NodeId| node.as_u64();
    let sets = members
        .voter_sets
        .iter()
        .map(|set| set.iter().map(number).collect());
    membership(sets.collect(), members.replicas.iter().map(number))
}
