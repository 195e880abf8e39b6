//! Tests: changes judged while the state moves on.

use std::collections::BTreeSet;
use std::sync::Mutex;

use futures_util::FutureExt as _;
use tongban_runtime::ports::{CommittedEntry, EntryBody};
use tongban_types::{CityCode, GroupId, NodeId};

use super::*;
use crate::raft_types::{StoredMembership, Vote, log_id, membership};
use crate::support::state::{MemoryState, write_order};

/// A log of plain entries. While it is read, the state applies what it has not yet.
struct MovingLog {
    state: MemoryState,
    unapplied: Mutex<Vec<CommittedEntry>>,
}

impl Entries for MovingLog {
    fn entries(&self, range: Range<u64>) -> io::Result<Vec<Entry>> {
        apply(
            &self.state,
            std::mem::take(&mut self.unapplied.lock().unwrap()),
        );
        Ok(range.map(|index| entry(index, plain())).collect())
    }
}

fn apply(state: &MemoryState, entries: Vec<CommittedEntry>) {
    let applied = state.apply(entries).now_or_never();
    applied.expect("it waits for nothing").unwrap();
}

fn group() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

fn nodes(numbers: &[u8]) -> Vec<u64> {
    let node = |number: &u8| NodeId::new(group().city(), *number).unwrap().as_u64();
    numbers.iter().map(node).collect()
}

fn entry(index: u64, payload: Payload) -> Entry {
    Entry {
        log_id: log_id(1, index),
        payload,
    }
}

fn plain() -> Payload {
    Payload::Normal(Proposal(Bytes::from_static(b"plain")))
}

fn of_replicas(numbers: &[u8]) -> Membership {
    let voters: BTreeSet<u64> = nodes(&[1, 2, 3]).into_iter().collect();
    membership(vec![voters], nodes(numbers)).unwrap()
}

fn committed(index: u64, members: (u64, &[u8]), body: EntryBody) -> CommittedEntry {
    let (at, replicas) = members;
    let position = Position {
        applied: Some(log_id(1, index)),
        membership: StoredMembership::new(Some(log_id(1, at)), of_replicas(replicas)),
    };
    CommittedEntry {
        index,
        position: position.encode(),
        body,
    }
}

fn order(version: u8, voters: &[u8]) -> EntryBody {
    EntryBody::Proposal(write_order(version, &nodes(voters), &[]))
}

/// The judge of a replica that has applied an order to place the group on nodes 1, 2 and 4, and
/// applies the rest as soon as it reads its log.
fn judge(unapplied: Vec<CommittedEntry>) -> Changes {
    let state = MemoryState::default();
    let first: (u64, &[u8]) = (0, &[1, 2, 3]);
    apply(&state, vec![committed(1, first, order(1, &[1, 2, 4]))]);
    let voters = [1, 2, 3].map(|number| NodeId::new(group().city(), number).unwrap());
    let config = GroupConfig::new(group(), voters[0], voters.to_vec(), Vec::new());
    let log = MovingLog {
        state: state.clone(),
        unapplied: Mutex::new(unapplied),
    };
    Changes::new(&config, Box::new(log), Arc::new(state))
}

/// A leader adds node 4 behind a plain entry.
fn adding() -> AppendRequest {
    AppendRequest {
        vote: Vote::new_committed(1, nodes(&[2])[0]),
        previous: Some(log_id(1, 2)),
        committed: Some(log_id(1, 2)),
        entries: vec![entry(3, Payload::Membership(of_replicas(&[1, 2, 3, 4])))],
    }
}

#[test]
fn a_step_sent_again_is_not_judged_by_an_order_applied_since() {
    let before: (u64, &[u8]) = (0, &[1, 2, 3]);
    let after: (u64, &[u8]) = (3, &[1, 2, 3, 4]);
    let changes = judge(vec![
        committed(2, before, EntryBody::Nothing),
        committed(3, after, EntryBody::Nothing),
        committed(4, after, order(2, &[1, 2, 5])),
    ]);
    assert_eq!(changes.admissible(&adding()).unwrap(), 1);
}

#[test]
fn a_step_toward_an_order_that_no_longer_holds_is_refused_though_the_state_moves() {
    let before: (u64, &[u8]) = (0, &[1, 2, 3]);
    assert_eq!(judge(Vec::new()).admissible(&adding()).unwrap(), 1);
    let changes = judge(vec![committed(2, before, order(2, &[1, 2, 5]))]);
    assert_eq!(changes.admissible(&adding()).unwrap(), 0);
}
