//! Requests as an honest replica writes them, with numbers no honest replica puts into them: whoever
//! sends them is refused or answered, and the replica goes on.

use bytes::Bytes;
use proptest::prelude::*;
use serde::Serialize;
use tongban_runtime::ports::{Group, ReplicatedState};
use tongban_runtime::seams::Lane;
use tongban_types::{Code, NodeId};

use crate::cluster::{Cluster, group, node, order};

const APPEND: u16 = 5111;
const BALLOT: u16 = 5113;
const SNAPSHOT_PIECE: u16 = 5115;
const TRANSFER: u16 = 5117;
const ENTRY: u16 = 5103;
const POSITION: u16 = 5104;

/// What an answer to a piece says, behind its kind and its version.
const INSTALLED: u8 = 1;

#[derive(Clone, Copy, Debug, Serialize)]
struct Vote {
    term: u64,
    node: u64,
    committed: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Id {
    term: u64,
    index: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Membership {
    voters: Vec<Vec<u64>>,
    replicas: Vec<u64>,
}

/// A record of a kind, with the group in front of the body in a request.
fn record(kind: u16, in_group: bool, body: &impl Serialize) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), 1_u16.to_le_bytes()].concat();
    if in_group {
        bytes.extend_from_slice(&group().city().number().to_le_bytes());
    }
    postcard::to_extend(body, bytes).unwrap()
}

fn position(applied: Id, at: Option<Id>, membership: &Membership) -> Vec<u8> {
    record(POSITION, false, &(Some(applied), (at, membership)))
}

fn piece(vote: Vote, position: &[u8], length: u64, offset: u64, piece: &[u8]) -> Bytes {
    let mut bytes = record(SNAPSHOT_PIECE, true, &(vote, position, length, offset));
    bytes.extend_from_slice(piece);
    bytes.into()
}

fn append(vote: Vote, ends: [Option<Id>; 2], entries: &[(u64, Vec<u8>)]) -> Bytes {
    let heads: Vec<(u64, u32)> = entries
        .iter()
        .map(|(term, body)| (*term, u32::try_from(body.len()).unwrap()))
        .collect();
    let mut bytes = record(APPEND, true, &(vote, ends[0], ends[1], heads));
    for (_, body) in entries {
        bytes.extend_from_slice(body);
    }
    bytes.into()
}

fn voters() -> Membership {
    let all: Vec<u64> = (1..=3).map(|number| node(number).as_u64()).collect();
    Membership {
        voters: vec![all.clone()],
        replicas: all,
    }
}

/// The state of a group that applied one entry, as the double writes it to a file.
fn file(index: u64, position: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u64).to_le_bytes();
    let entry = b"forged";
    [
        &index.to_le_bytes()[..],
        &length(position),
        position,
        &index.to_le_bytes(),
        &length(entry),
        entry,
        b"whole",
    ]
    .concat()
}

/// A follower that holds entries 0 to 3 of term 1, all applied, and hears only from node 2.
async fn follower() -> Cluster {
    let mut cluster = Cluster::new(3, 0);
    cluster.adjust = |config| {
        config.election_ms_min = 200_000;
        config.election_ms_max = 300_000;
    };
    cluster.start(node(3)).await;
    let entries: Vec<(u64, Vec<u8>)> = (0..3).map(|number| (1, vec![number])).collect();
    let ends = [
        Some(Id { term: 0, index: 0 }),
        Some(Id { term: 1, index: 3 }),
    ];
    let answer = cluster.replica(node(3)).handle(
        node(2),
        Lane::RaftAppend,
        append(leads(1), ends, &entries),
    );
    answer.await.unwrap();
    let applied = || (cluster.status(node(3)).applied_index == 3).then_some(());
    cluster.eventually("applied", applied).await;
    cluster
}

/// The bytes of an entry that says who the members are.
fn change(sets: &[&[u8]], replicas: &[u8]) -> Vec<u8> {
    let numbers = |nodes: &[u8]| nodes.iter().map(|number| node(*number).as_u64()).collect();
    let membership = Membership {
        voters: sets.iter().map(|set| numbers(set)).collect(),
        replicas: numbers(replicas),
    };
    let mut bytes = [ENTRY.to_le_bytes(), 1_u16.to_le_bytes()].concat();
    bytes.push(1);
    postcard::to_extend(&membership, bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_lies_about_who_votes_is_refused_before_anything_is_appended() {
    let cluster = follower().await;
    let here = Id { term: 1, index: 3 };
    let ordered = order(1, &[1, 2, 4], &[]).to_vec();
    let lies: [Vec<Vec<u8>>; 6] = [
        // Nothing is ordered at all.
        vec![change(&[&[2]], &[2])],
        vec![change(&[&[1, 2, 3]], &[1, 2, 3, 4])],
        vec![change(&[&[1, 2, 3], &[1, 2, 4]], &[1, 2, 3, 4])],
        // Something else is.
        vec![ordered.clone(), change(&[&[1, 2, 3]], &[1, 2, 3, 5])],
        vec![ordered.clone(), change(&[&[2]], &[2])],
        // Without the way between, two majorities need not meet.
        vec![ordered.clone(), change(&[&[1, 2, 4]], &[1, 2, 3, 4])],
    ];
    for entries in lies {
        let kept = entries.len() as u64 - 1;
        let entries: Vec<_> = entries.into_iter().map(|body| (1, body)).collect();
        let body = append(leads(1), [Some(here), Some(here)], &entries);
        let answer = sent(&cluster, node(2), Lane::RaftAppend, body).await;
        let is_refused = match kept {
            0 => answer == Err(Code::MEMBERSHIP_NOT_ORDERED),
            _ => answer.is_ok(),
        };
        assert!(is_refused, "{answer:?}");
        let status = cluster.status(node(3));
        assert_eq!(status.last_index, 3 + kept, "only what stands before it");
        assert_eq!(status.voters, [1, 2, 3].map(node));
    }
    assert_eq!(cluster.status(node(3)).learners, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_not_committed_yet_authorises_what_follows_it() {
    let cluster = follower().await;
    let here = Id { term: 1, index: 3 };
    let entries = [
        (1, order(1, &[1, 2, 4], &[]).to_vec()),
        (1, change(&[&[1, 2, 3]], &[1, 2, 3, 4])),
        (1, b"between".to_vec()),
        (1, change(&[&[1, 2, 3], &[1, 2, 4]], &[1, 2, 3, 4])),
    ];
    let body = append(leads(1), [Some(here), Some(here)], &entries);
    let answer = sent(&cluster, node(2), Lane::RaftAppend, body).await;
    assert!(answer.is_ok(), "{answer:?}");
    let both = || (cluster.status(node(3)).members.voter_sets.len() == 2).then_some(());
    cluster
        .eventually("the joint set counts at once", both)
        .await;
    assert_eq!(cluster.status(node(3)).applied_index, 3);
    // What follows on it later is judged by what stands in the log.
    let last = Id { term: 1, index: 7 };
    let lie = append(
        leads(1),
        [Some(last), Some(here)],
        &[(1, change(&[&[2]], &[2]))],
    );
    let answer = sent(&cluster, node(2), Lane::RaftAppend, lie).await;
    assert_eq!(answer, Err(Code::MEMBERSHIP_NOT_ORDERED));
    let on = [(1, change(&[&[1, 2, 4]], &[1, 2, 3, 4]))];
    let body = append(leads(1), [Some(last), Some(here)], &on);
    let answer = sent(&cluster, node(2), Lane::RaftAppend, body).await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_takes_only_the_first_entry_its_group_began_with() {
    let mut cluster = Cluster::new(2, 0);
    cluster.voters = [1, 2, 5].map(node).to_vec();
    cluster.join(node(3), &[1, 2, 3]).await;
    let first = |body| append(leads(1), [None, None], &[(0, body)]);
    let lie = first(change(&[&[2, 3]], &[2, 3]));
    let answer = sent(&cluster, node(2), Lane::RaftAppend, lie).await;
    assert_eq!(answer, Err(Code::MEMBERSHIP_NOT_ORDERED));
    let stranger = cluster.replica(node(3)).handle(
        node(5),
        Lane::RaftAppend,
        first(change(&[&[1, 2, 5]], &[1, 2, 5])),
    );
    assert_eq!(
        stranger.await,
        Err(Code::RAFT_NOT_A_REPLICA),
        "not admitted"
    );
    let truth = first(change(&[&[1, 2, 5]], &[1, 2, 5]));
    let answer = sent(&cluster, node(2), Lane::RaftAppend, truth).await;
    assert!(answer.is_ok(), "{answer:?}");
}

fn leads(term: u64) -> Vote {
    Vote {
        term,
        node: node(2).as_u64(),
        committed: true,
    }
}

async fn sent(cluster: &Cluster, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
    let answer = cluster.replica(node(3)).handle(peer, lane, body).await;
    assert!(!cluster.status(node(3)).stopped, "{answer:?}");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_none_is_refused_and_leaves_nothing() {
    let cluster = follower().await;
    let applied = Id { term: 2, index: 9 };
    let says = position(applied, Some(Id { term: 0, index: 0 }), &voters());
    let whole = file(9, &says);
    let mut damaged = whole.clone();
    damaged[0] ^= 1;
    let other = position(
        Id { term: 2, index: 8 },
        Some(Id { term: 0, index: 0 }),
        &voters(),
    );
    let mut cut_short = whole.clone();
    cut_short.truncate(whole.len() - 1);
    for file in [damaged, cut_short, file(9, &other), file(8, &says)] {
        let length = file.len() as u64;
        let body = piece(leads(2), &says, length, 0, &file);
        let answer = sent(&cluster, node(2), Lane::RaftSnapshot, body).await;
        assert_eq!(answer, Err(Code::SNAPSHOT_REFUSED));
    }
    // One that is begun and never finished makes room for the next.
    let half = whole.len() / 2;
    for length in [1000, 2000, whole.len() as u64] {
        let body = piece(leads(2), &says, length, 0, &whole[..half]);
        assert!(
            sent(&cluster, node(2), Lane::RaftSnapshot, body)
                .await
                .is_ok()
        );
        assert_eq!(cluster.states[&node(3)].file_count(), 1);
    }
    let rest = piece(
        leads(2),
        &says,
        whole.len() as u64,
        half as u64,
        &whole[half..],
    );
    assert!(
        sent(&cluster, node(2), Lane::RaftSnapshot, rest)
            .await
            .is_ok()
    );
    assert_eq!(cluster.states[&node(3)].proposals(), ["forged"]);
    assert_eq!(cluster.states[&node(3)].file_count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_the_disk_has_no_room_for_is_refused_with_its_first_piece() {
    let cluster = follower().await;
    let says = position(
        Id { term: 2, index: 9 },
        Some(Id { term: 0, index: 0 }),
        &voters(),
    );
    let whole = file(9, &says);
    let half = whole.len() / 2;
    let begun = piece(leads(2), &says, whole.len() as u64, 0, &whole[..half]);
    for _ in 0..2 {
        let answer = sent(&cluster, node(2), Lane::RaftSnapshot, begun.clone()).await;
        assert!(answer.is_ok(), "{answer:?}");
        assert_eq!(cluster.states[&node(3)].file_count(), 1);
        let body = piece(leads(2), &says, 1 << 39, 0, &whole[..half]);
        let answer = sent(&cluster, node(2), Lane::RaftSnapshot, body).await;
        assert_eq!(answer, Err(Code::SNAPSHOT_REFUSED));
        assert_eq!(cluster.states[&node(3)].file_count(), 0);
    }
    assert_eq!(cluster.states[&node(3)].proposals().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_what_the_log_holds_is_not_taken_and_takes_nothing_away() {
    let cluster = follower().await;
    let here = Id { term: 1, index: 3 };
    let entries = [4, 5].map(|number| (1, vec![number]));
    let body = append(leads(1), [Some(here), Some(here)], &entries);
    sent(&cluster, node(2), Lane::RaftAppend, body)
        .await
        .unwrap();
    let of = |term, index| {
        let says = position(
            Id { term, index },
            Some(Id { term: 0, index: 0 }),
            &voters(),
        );
        (file(index, &says), says)
    };
    let (held, says) = of(1, 4);
    let body = piece(leads(1), &says, held.len() as u64, 0, &held);
    let answer = sent(&cluster, node(2), Lane::RaftSnapshot, body).await;
    assert_eq!(answer.unwrap()[4], INSTALLED);
    let status = cluster.status(node(3));
    assert_eq!((status.applied_index, status.last_index), (3, 5));
    assert_eq!(cluster.states[&node(3)].file_count(), 0);
    // Another entry in its place is none of the snapshot's.
    let (other, says) = of(2, 4);
    let body = piece(leads(2), &says, other.len() as u64, 0, &other);
    let answer = sent(&cluster, node(2), Lane::RaftSnapshot, body).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(cluster.states[&node(3)].proposals(), ["forged"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_in_the_place_of_committed_entries_is_refused() {
    let cluster = follower().await;
    for (term, index) in [(2, 3), (2, 1), (0, 7)] {
        let says = position(
            Id { term, index },
            Some(Id { term: 0, index: 0 }),
            &voters(),
        );
        let file = file(index, &says);
        let body = piece(leads(2), &says, file.len() as u64, 0, &file);
        let answer = sent(&cluster, node(2), Lane::RaftSnapshot, body).await;
        assert_eq!(answer, Err(Code::SNAPSHOT_REFUSED), "{term} {index}");
    }
    assert_eq!(cluster.states[&node(3)].proposals().len(), 3);
    assert!(cluster.states[&node(3)].current_snapshot().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_in_the_place_of_committed_ones_are_refused() {
    let cluster = follower().await;
    let at = |term, index| Some(Id { term, index });
    let entry = |term| vec![(term, b"other".to_vec())];
    let rows = [
        ([at(2, 2), None], vec![]),
        ([at(0, 0), None], entry(2)),
        ([at(0, 3), None], entry(0)),
        ([at(1, 3), at(2, 2)], vec![]),
    ];
    for (ends, entries) in rows {
        let body = append(leads(2), ends, &entries);
        let answer = sent(&cluster, node(2), Lane::RaftAppend, body).await;
        assert_eq!(answer, Err(Code::RAFT_MALFORMED), "{ends:?}");
    }
    assert_eq!(cluster.states[&node(3)].proposals().len(), 3);
}

/// Small numbers, so that they meet each other, and some that are not believed.
fn counter() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![12 => 0_u64..12, 1 => (1_u64 << 62) - 2..(1_u64 << 62) + 2, 1 => any::<u64>()]
}

fn id() -> impl Strategy<Value = Id> + Clone {
    (counter(), counter()).prop_map(|(term, index)| Id { term, index })
}

fn vote() -> impl Strategy<Value = Vote> + Clone {
    let who = prop_oneof![9 => Just(2_u8), 1 => 1_u8..4];
    (0_u64..9, who, any::<bool>()).prop_map(|(term, number, committed)| Vote {
        term,
        node: node(number).as_u64(),
        committed,
    })
}

fn membership() -> impl Strategy<Value = Membership> + Clone {
    let set = prop::collection::vec((1_u8..5).prop_map(|number| node(number).as_u64()), 0..4);
    (prop::collection::vec(set.clone(), 0..3), set)
        .prop_map(|(voters, replicas)| Membership { voters, replicas })
}

fn entry() -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        Just(record(ENTRY, false, &0_u8)),
        membership().prop_map(|membership| record(ENTRY, false, &(1_u8, membership))),
    ]
}

fn appends() -> impl Strategy<Value = (Lane, Bytes)> {
    let entries = prop::collection::vec((0_u64..9, entry()), 0..4);
    let end = prop::option::of(id());
    (vote(), end.clone(), end, entries, any::<bool>()).prop_map(
        |(vote, previous, committed, mut entries, sorted)| {
            if sorted {
                entries.sort_by_key(|(term, _)| *term);
            }
            let body = append(vote, [previous, committed], &entries);
            (Lane::RaftAppend, body)
        },
    )
}

fn pieces() -> impl Strategy<Value = (Lane, Bytes)> {
    let at = prop::option::of(id());
    (vote(), id(), at, membership(), any::<[bool; 3]>()).prop_map(
        |(vote, applied, at, membership, odd)| {
            let says = position(applied, at, &membership);
            let mut file = file(applied.index, &says);
            if odd[0] {
                file.pop();
            }
            let length = file.len() as u64 + u64::from(odd[1]);
            let body = piece(vote, &says, length, u64::from(odd[2]), &file);
            (Lane::RaftSnapshot, body)
        },
    )
}

fn requests() -> impl Strategy<Value = (Lane, Bytes)> {
    let control = (vote(), prop::option::of(id()), any::<[bool; 3]>()).prop_map(
        |(vote, last, [transfer, handed_over, only_asking])| {
            let body = if transfer {
                record(TRANSFER, true, &(vote, node(3).as_u64(), last))
            } else {
                record(BALLOT, true, &(vote, last, handed_over, only_asking))
            };
            (Lane::RaftControl, Bytes::from(body))
        },
    );
    prop_oneof![4 => appends(), 2 => pieces(), 2 => control]
}

#[test]
fn no_well_formed_request_stops_a_replica() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig::with_cases(60);
    proptest!(config, |(all in prop::collection::vec((2_u8..3, requests()), 1..40))| {
        runtime.block_on(async {
            let mut cluster = follower().await;
            for (peer, (lane, body)) in all {
                let patience = std::time::Duration::from_millis(100);
                let answer = sent(&cluster, node(peer), lane, body);
                // A transfer waits for a log that may never come.
                let _late = tokio::time::timeout(patience, answer).await;
            }
            cluster.stop(node(3)).await;
        });
    });
}
