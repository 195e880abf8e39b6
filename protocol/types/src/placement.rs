//! An order of a city's governance: which nodes keep its approval group from now on.

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, NodeId};

/// Where the replicas of a group stand. It is signed by the governance key of the group's city,
/// [`crate::Purpose::PlacementOrder`], and enters the log of the group, which carries it out, and of
/// every other group, which believes the certificates of these voters from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementOrder {
    /// The group.
    pub group: GroupId,
    /// Counts up by one from order to order; the first is 1. Placement 0 is what the group began with.
    pub version: u64,
    /// The voters, distinct and sorted: 3 or 5.
    pub voters: Vec<NodeId>,
    /// The learners, distinct, sorted, and no voters.
    pub learners: Vec<NodeId>,
    /// Why, for those who read the log later.
    pub reason: String,
}
