//! Told by every replica of each entry it applied.

use std::sync::{Arc, Mutex};

use tongban_machine::Alarm;
use tongban_runtime::Witness;
use tongban_types::{GroupId, Hash, NodeId};

use crate::invariants::Violation;
use crate::invariants::log_hashes::LogHashes;
use crate::runtime::lock;

/// What all replicas applied, and what of it is wrong.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) hashes: LogHashes,
    pub(crate) violations: Vec<Violation>,
}

/// The witness of one node.
pub(crate) struct NodeWitness {
    pub(crate) node: NodeId,
    pub(crate) applied: Arc<Mutex<Applied>>,
}

impl Witness for NodeWitness {
    fn applied(&self, group: GroupId, index: u64, hash: Hash) {
        let mut applied = lock(&self.applied);
        if let Err(violation) = applied.hashes.on_applied(self.node, group, index, hash) {
            applied.violations.push(violation);
        }
    }

    fn diverged(&self, group: GroupId, alarm: Alarm) {
        let what = format!("{} stopped group {group}: {alarm:?}", self.node);
        lock(&self.applied)
            .violations
            .push(Violation::new("log hashes equal", what));
    }
}
