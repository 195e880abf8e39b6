//! Told by every replica of each entry it applied.

use std::sync::{Arc, Mutex};

use tongban_machine::{Alarm, Reply, recall_command};
use tongban_runtime::{StoreView, Witness};
use tongban_types::{GroupId, Hash, NodeId};

use super::oracle::{CarriedOut, Oracle};
use crate::invariants::Violation;
use crate::invariants::log_hashes::LogHashes;
use crate::runtime::lock;
use crate::store::MemoryStore;

/// What all replicas applied, and what of it is wrong.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) hashes: LogHashes,
    pub(crate) violations: Vec<Violation>,
}

/// The witness of one node.
pub(crate) struct NodeWitness {
    pub(crate) node: NodeId,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) applied: Arc<Mutex<Applied>>,
    pub(crate) oracle: Arc<Mutex<Oracle>>,
}

impl NodeWitness {
    /// Enters the ids this very entry carried out: a later one may make the group forget them.
    fn note_carried_out(&self, group: GroupId) {
        let mut oracle = lock(&self.oracle);
        let view = StoreView::new(self.store.clone(), group);
        let open: Vec<_> = oracle.open(group).collect();
        for (id, asked) in open {
            let reply = recall_command(&view, id).map(|(_, reply)| reply);
            if let Some(Reply::Case {
                number,
                version,
                state,
            }) = reply
            {
                let done = CarriedOut {
                    asked,
                    group,
                    case: number,
                    version,
                    state,
                };
                oracle.on_carried_out(id, done);
            }
        }
    }
}

impl Witness for NodeWitness {
    fn applied(&self, group: GroupId, index: u64, hash: Hash) {
        let mut applied = lock(&self.applied);
        let is_first = index > applied.hashes.reached(group);
        if let Err(violation) = applied.hashes.on_applied(self.node, group, index, hash) {
            applied.violations.push(violation);
        }
        drop(applied);
        if is_first {
            self.note_carried_out(group);
        }
    }

    fn diverged(&self, group: GroupId, alarm: Alarm) {
        let what = format!(
            "{} meets another state of group {group}: {alarm:?}",
            self.node
        );
        lock(&self.applied)
            .violations
            .push(Violation::new("log hashes equal", what));
    }
}
