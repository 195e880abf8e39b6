//! Every replica of a group comes to the same state at the same index of its log, before and after
//! any crash.

use std::collections::BTreeMap;

use tongban_types::{GroupId, Hash, NodeId};

use super::Violation;

const NAME: &str = "log hashes equal";

/// The state hash of every index any replica applied.
#[derive(Debug, Default)]
pub struct LogHashes {
    known: BTreeMap<(GroupId, u64), (Hash, NodeId)>,
    reached: BTreeMap<GroupId, u64>,
}

impl LogHashes {
    /// A replica applied an index.
    pub fn on_applied(
        &mut self,
        node: NodeId,
        group: GroupId,
        index: u64,
        hash: Hash,
    ) -> Result<(), Violation> {
        let reached = self.reached.entry(group).or_default();
        *reached = index.max(*reached);
        let (known, by) = *self.known.entry((group, index)).or_insert((hash, node));
        if known == hash {
            return Ok(());
        }
        let what = format!("group {group} index {index}: {by} and {node} hold different states");
        Err(Violation::new(NAME, what))
    }

    /// The highest index any replica of a group applied.
    pub fn reached(&self, group: GroupId) -> u64 {
        self.reached.get(&group).copied().unwrap_or(0)
    }

    /// How many indexes were compared.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing was applied yet.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
