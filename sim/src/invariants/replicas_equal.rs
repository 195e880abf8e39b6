//! Replicas of a group at one index hold the same bytes, all of them, whatever they were rebuilt
//! from.

use tongban_types::{GroupId, Hash, NodeId};

use super::Violation;

const NAME: &str = "replicas equal";

/// Everything one replica holds, at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Who holds it.
    pub node: NodeId,
    /// The index.
    pub index: u64,
    /// Hash over every pair.
    pub hash: Hash,
}

/// Judges the replicas of a group, which are at one index.
pub fn check(group: GroupId, replicas: &[Content]) -> Result<(), Violation> {
    let Some((first, others)) = replicas.split_first() else {
        return Err(Violation::new(
            NAME,
            format!("group {group} has no replica"),
        ));
    };
    for other in others {
        if other.index != first.index || other.hash != first.hash {
            let what = format!(
                "group {group}: {} at {} and {} at {} differ",
                first.node, first.index, other.node, other.index
            );
            return Err(Violation::new(NAME, what));
        }
    }
    Ok(())
}
