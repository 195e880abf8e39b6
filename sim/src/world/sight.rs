//! What all replicas hold at one moment, read straight from their stores: more than any node knows,
//! and what invariants are judged by.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_machine::{CaseRecord, View, ground, list_cases, movements, state_hash, unanswered};
use tongban_runtime::StoreView;
use tongban_runtime::seams::StateStore;
use tongban_types::{CaseNumber, CaseState, GroupId, Hash, NodeId, Timestamp, sha256_parts};

use crate::store::MemoryStore;

/// Cases of one group that are looked at: a run makes a few hundred.
const CASES_MAX: usize = 100_000;

/// Steps of a case that are looked at.
const STEPS_MAX: usize = 1_000;

/// One replica.
#[derive(Clone, Debug)]
pub struct ReplicaSight {
    /// The node that keeps it.
    pub node: NodeId,
    /// The log index it is at.
    pub index: u64,
    /// Group time as it knows it.
    pub time: Timestamp,
    /// The chained hash of everything applied.
    pub state: Hash,
    /// Its cases.
    pub cases: BTreeMap<CaseNumber, CaseRecord>,
    /// Packets not answered.
    pub unanswered: usize,
    /// Proofs of equivocation it holds.
    pub evidence: u64,
}

/// One group.
#[derive(Clone, Debug, Default)]
pub struct GroupSight {
    /// The highest index any of its replicas was seen to apply.
    pub reached: u64,
    /// Its replicas that hold a whole state.
    pub replicas: Vec<ReplicaSight>,
}

impl GroupSight {
    /// The replica that is furthest, if it has everything any replica ever applied: a replica that
    /// replays its log after a crash shows an earlier state, which proves nothing.
    pub fn newest(&self) -> Option<&ReplicaSight> {
        let newest = self.replicas.iter().max_by_key(|replica| replica.index);
        newest.filter(|replica| replica.index >= self.reached)
    }
}

/// All groups.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// By group.
    pub groups: BTreeMap<GroupId, GroupSight>,
}

impl Sight {
    /// The newest state of a group.
    pub fn newest(&self, group: GroupId) -> Option<&ReplicaSight> {
        self.groups.get(&group)?.newest()
    }

    /// Every case in the newest state of the group that holds it, with that group.
    pub fn records(&self) -> impl Iterator<Item = (GroupId, &CaseRecord)> {
        self.groups.iter().flat_map(|(group, sight)| {
            let cases = sight
                .newest()
                .into_iter()
                .flat_map(|replica| replica.cases.values());
            cases.map(|record| (*group, record))
        })
    }
}

/// Looks at one replica; `None` while it holds no whole state.
pub fn look(store: &Arc<MemoryStore>, node: NodeId, group: GroupId) -> Option<ReplicaSight> {
    let index = index_of(store, group)?;
    let view = StoreView::new(store.clone(), group);
    let here = ground(&view);
    let cases = list_cases(&view, None, CASES_MAX).cases;
    Some(ReplicaSight {
        node,
        index,
        time: here.time,
        state: state_hash(&view),
        cases: cases
            .into_iter()
            .map(|record| (record.envelope.number, record))
            .collect(),
        unanswered: unanswered(&view, None, CASES_MAX).len(),
        evidence: here.evidence,
    })
}

/// The log index a replica is at: the runtime keeps it in front of the position.
pub fn index_of(store: &MemoryStore, group: GroupId) -> Option<u64> {
    let position = store.position(group).ok()??;
    let (index, _) = position.split_at_checked(8)?;
    Some(u64::from_be_bytes(index.try_into().ok()?))
}

/// A hash over every pair a replica holds.
pub fn content_hash(store: &Arc<MemoryStore>, group: GroupId) -> Hash {
    let view = StoreView::new(store.clone(), group);
    let pairs = view.scan(&[], &[u8::MAX], usize::MAX);
    let parts: Vec<&[u8]> = pairs
        .iter()
        .flat_map(|(key, value)| [key.as_slice(), value.as_slice()])
        .collect();
    sha256_parts(&parts)
}

/// The states a case went through in a group, oldest first.
pub fn states_of(store: &Arc<MemoryStore>, group: GroupId, case: CaseNumber) -> Vec<CaseState> {
    let view = StoreView::new(store.clone(), group);
    movements(&view, case, STEPS_MAX)
        .into_iter()
        .map(|movement| movement.state)
        .collect()
}
