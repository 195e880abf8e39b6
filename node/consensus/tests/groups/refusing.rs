//! Requests that no honest replica sends are refused with a code and change nothing.

use bytes::Bytes;
use proptest::prelude::*;
use tongban_runtime::ports::Group;
use tongban_runtime::seams::Lane;
use tongban_types::{CityCode, Code, NodeId};

use crate::cluster::{Cluster, group, node};

/// Kind, version and group of a request, and a body.
fn request(kind: u16, city: u32, body: &[u8]) -> Bytes {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&1_u16.to_le_bytes());
    bytes.extend_from_slice(&city.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes.into()
}

const BALLOT: u16 = 5113;

/// A ballot in term 9 for `candidate`: its vote, no log, not handed over, not only asking.
fn ballot(candidate: NodeId) -> Vec<u8> {
    let mut body = vec![9];
    let mut number = candidate.as_u64();
    while number >= 128 {
        body.push(u8::try_from(number % 128 + 128).unwrap());
        number /= 128;
    }
    body.push(u8::try_from(number).unwrap());
    body.extend_from_slice(&[0, 0, 0, 0]);
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_strangers_and_for_strangers_are_refused() {
    let cluster = Cluster::of_three().await;
    let replica = cluster.replica(node(1)).clone();
    let term = replica.status().term;
    let city = group().city().number();
    let honest = request(BALLOT, city, &ballot(node(2)));
    let stranger = NodeId::new(CityCode::new(610_500).unwrap(), 1).unwrap();
    let refused = [
        (stranger, honest.clone(), Code::RAFT_NOT_A_REPLICA),
        (node(3), honest.clone(), Code::RAFT_WRONG_SENDER),
        (
            node(2),
            request(BALLOT, 610_500, &ballot(node(2))),
            Code::RAFT_WRONG_GROUP,
        ),
        (node(2), request(BALLOT, city, b""), Code::RAFT_MALFORMED),
        (node(2), Bytes::new(), Code::RAFT_WRONG_GROUP),
    ];
    for (peer, body, code) in refused {
        let answer = replica.handle(peer, Lane::RaftControl, body).await;
        assert_eq!(answer, Err(code));
    }
    let wrong_lane = replica.handle(node(2), Lane::RaftSnapshot, honest.clone());
    assert_eq!(wrong_lane.await, Err(Code::RAFT_MALFORMED));
    assert_eq!(replica.status().term, term);
    // The same ballot said by its own candidate is answered.
    let answered = replica.handle(node(2), Lane::RaftControl, honest).await;
    assert!(answered.is_ok());
}

#[test]
fn no_bytes_stop_a_replica() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = runtime.block_on(async {
        let mut cluster = Cluster::new(1, 1);
        cluster.start_all().await;
        cluster.propose("before").await;
        cluster
    });
    let replica = cluster.replica(node(1)).clone();
    let kinds = prop_oneof![5101..5120_u16, any::<u16>()];
    let lanes = prop::sample::select(Lane::ALL.to_vec());
    let body = prop::collection::vec(any::<u8>(), 0..200);
    let config = ProptestConfig::with_cases(2000);
    proptest!(config, |(kind in kinds, lane in lanes, body in body)| {
        let body = request(kind, group().city().number(), &body);
        let answer = runtime.block_on(replica.handle(node(2), lane, body));
        prop_assert!(!replica.status().stopped, "{answer:?}");
    });
    runtime.block_on(cluster.propose("after"));
}
