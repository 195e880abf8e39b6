//! What a node measures of itself for whoever scrapes it. Every list is bounded: by the groups this
//! node hosts, the members of the registry, the states of a case, the table of codes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tongban_machine::{
    EntryReply, ParcelFate, Reply, count_in_state, next_deadline, next_notice, unanswered,
};
use tongban_types::{CaseState, Code, GroupId, KeyRole, NodeId, Timestamp};

use crate::core::{Core, Hosted};
use crate::desk::Desk;
use crate::seams::{Platform, Transport};

/// Waiting cases counted in one state, and packets to all groups: a look takes some milliseconds then,
/// and who has more than this waiting needs no exact figure.
const COUNTED_MAX: usize = 10_000;

/// A node's measures at one moment.
#[derive(Clone, Debug)]
pub struct NodeGauges {
    /// Civil time here.
    pub now: Timestamp,
    /// The groups it hosts.
    pub groups: Vec<GroupGauges>,
    /// The other nodes that vote in its groups by the orders in force, and whether there is a live
    /// connection.
    pub peers: BTreeMap<NodeId, bool>,
    /// When the registry in force expires.
    pub registry_expires: Timestamp,
    /// When the first of this node's own keys does.
    pub keys_until: Option<Timestamp>,
    /// When the first of the applications that wait at the desk was handed in.
    pub desk_oldest: Option<Timestamp>,
    /// Applications stored by the desk since the start.
    pub desk_stored: u64,
    /// Applications of the desk that became replicated since the start.
    pub desk_replicated: u64,
}

/// The measures of one group.
#[derive(Clone, Debug)]
pub struct GroupGauges {
    /// Which.
    pub group: GroupId,
    /// Group time.
    pub time: Timestamp,
    /// Position of the next parcel: how many were entered for other groups, ever.
    pub outbox_next: u64,
    /// Packets not answered yet, by the group they are for.
    pub unanswered_to: BTreeMap<GroupId, u64>,
    /// When silence next counts as acceptance or a city is told again what it missed, in group time.
    pub next_deadline: Option<Timestamp>,
    /// When silence next counts as acceptance, in group time; of this city's own group only, whose officers
    /// alone can be in time for it.
    pub next_notice: Option<Timestamp>,
    /// Cases that wait for somebody, by their state; counted in this city's own group only.
    pub waiting: BTreeMap<CaseState, u64>,
    /// What was applied since the start.
    pub applied: AppliedCounts,
    /// This replica stopped because no majority of the voters holds its state.
    pub diverged: bool,
}

/// What a replica applied since the start, replays included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppliedCounts {
    /// Commands carried out, by the state the case came to.
    pub cases: BTreeMap<CaseState, u64>,
    /// Packets and answers of other groups, by what became of them.
    pub parcels: BTreeMap<&'static str, u64>,
    /// Commands and parcels refused, by code.
    pub refused: BTreeMap<Code, u64>,
}

/// The counters behind [`AppliedCounts`].
#[derive(Debug, Default)]
pub(crate) struct AppliedCounters(Mutex<AppliedCounts>);

impl AppliedCounters {
    /// Counts every result of an entry.
    pub(crate) fn count(&self, reply: &EntryReply) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for result in &reply.results {
            match result {
                Ok(Reply::Case { state, .. }) => *counts.cases.entry(*state).or_default() += 1,
                Ok(Reply::Parcel(fate)) => {
                    *counts.parcels.entry(fate_name(*fate)).or_default() += 1;
                    if let ParcelFate::NotEntered(code) = fate {
                        *counts.refused.entry(*code).or_default() += 1;
                    }
                }
                Ok(Reply::Lease { .. } | Reply::Done) => {}
                Err(refusal) => *counts.refused.entry(refusal.code()).or_default() += 1,
            }
        }
    }

    /// A reading of all of them.
    pub(crate) fn read(&self) -> AppliedCounts {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

const fn fate_name(fate: ParcelFate) -> &'static str {
    match fate {
        ParcelFate::Answered { .. } => "received",
        ParcelFate::AnsweredBefore { .. } => "received-again",
        ParcelFate::Settled => "acknowledged",
        ParcelFate::SettledBefore => "acknowledged-again",
        ParcelFate::NotEntered(_) => "refused",
    }
}

/// How many applications a desk stored, and how many of all became replicated.
#[derive(Debug, Default)]
pub(crate) struct DeskCounters {
    stored: AtomicU64,
    replicated: AtomicU64,
}

impl DeskCounters {
    pub(crate) fn stored(&self) {
        self.stored.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn replicated(&self) {
        self.replicated.fetch_add(1, Ordering::Relaxed);
    }
}

/// States in which somebody or something is waited for.
fn is_waiting(state: CaseState) -> bool {
    match state {
        CaseState::Collected
        | CaseState::InTransit
        | CaseState::Received
        | CaseState::CorrectionAsked
        | CaseState::Corrected
        | CaseState::Accepted
        | CaseState::InReview => true,
        CaseState::NotAccepted
        | CaseState::Granted
        | CaseState::Refused
        | CaseState::Delivered
        | CaseState::Withdrawn => false,
    }
}

/// Reads a node's measures.
pub(crate) fn read_gauges<P: Platform>(core: &Core<P>, desk: &Desk<P>) -> NodeGauges {
    let registry = core.registry();
    let connected = core.transport.connected();
    let groups = core
        .groups()
        .map(|(id, hosted)| read_group(core, id, &hosted));
    let groups: Vec<_> = groups.collect();
    let placed = groups.iter().map(|seen| core.placement(seen.group));
    let peers = placed
        .flat_map(|placement| placement.voters)
        .filter(|node| *node != core.me)
        .map(|node| (node, connected.contains(&node)));
    let oldest = desk.stored_cases(None, 1);
    let own = registry.node(core.me);
    let keys = KeyRole::ALL.into_iter();
    let active = keys.filter_map(|role| own.and_then(|own| own.active(role)));
    NodeGauges {
        now: core.now(),
        peers: peers.collect(),
        registry_expires: registry.expires(),
        keys_until: active.map(|key| key.not_after).min(),
        groups,
        // Numbers are given in the order of the days and within each.
        desk_oldest: oldest.first().map(|stored| stored.collected_at),
        desk_stored: desk.counters.stored.load(Ordering::Relaxed),
        desk_replicated: desk.counters.replicated.load(Ordering::Relaxed),
    }
}

fn read_group<P: Platform>(core: &Core<P>, group: GroupId, hosted: &Hosted<P>) -> GroupGauges {
    let replica = &hosted.replica;
    let ground = core.ground(group).unwrap_or_default();
    let packets = replica.read(|view| unanswered(view, None, COUNTED_MAX));
    let mut unanswered_to = BTreeMap::new();
    for packet in packets.unwrap_or_default() {
        *unanswered_to.entry(packet.to).or_default() += 1;
    }
    let counted = |state| {
        let count = replica.read(|view| count_in_state(view, state, COUNTED_MAX));
        (state, count.unwrap_or(0) as u64)
    };
    let is_own = group.city() == core.city();
    let waiting = CaseState::ALL
        .into_iter()
        .filter(|state| is_own && is_waiting(*state));
    let notice = is_own.then(|| replica.read(next_notice));
    GroupGauges {
        group,
        time: ground.time,
        outbox_next: ground.outbox_next,
        unanswered_to,
        next_deadline: replica.read(next_deadline).ok().flatten(),
        next_notice: notice.and_then(Result::ok).flatten(),
        waiting: waiting.map(counted).collect(),
        applied: replica.applied_counts(),
        diverged: replica.has_diverged(),
    }
}

#[cfg(test)]
mod tests {
    use tongban_machine::Refusal;

    use super::*;

    #[test]
    fn every_result_of_an_entry_is_counted_where_it_belongs() {
        let counters = AppliedCounters::default();
        counters.count(&EntryReply {
            results: vec![
                Ok(Reply::Done),
                Ok(Reply::Parcel(ParcelFate::Answered { answer: 3 })),
                Ok(Reply::Parcel(ParcelFate::Settled)),
                Ok(Reply::Parcel(ParcelFate::NotEntered(Code::TOO_LARGE))),
                Err(Refusal::CaseExists),
            ],
        });
        let counts = counters.read();
        let parcels: Vec<_> = counts.parcels.into_iter().collect();
        assert_eq!(
            parcels,
            [("acknowledged", 1), ("received", 1), ("refused", 1)]
        );
        let refused: Vec<_> = counts.refused.into_values().collect();
        assert_eq!(refused, [1, 1]);
        assert!(counts.cases.is_empty());
    }
}
