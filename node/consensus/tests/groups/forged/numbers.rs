//! Requests of every kind with any numbers in them.

use bytes::Bytes;
use proptest::prelude::*;
use tongban_runtime::seams::Lane;

use super::{ENTRY, Id, Membership, Vote, append, file, follower, piece, position, record, sent};
use crate::cluster::node;

const BALLOT: u16 = 5113;
const TRANSFER: u16 = 5117;

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
