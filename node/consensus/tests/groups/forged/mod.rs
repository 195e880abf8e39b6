//! Requests as an honest replica writes them, with numbers no honest replica puts into them: whoever
//! sends them is refused or answered, and the replica goes on. Here they are written and sent.

mod entries;
mod numbers;
mod snapshots;

use bytes::Bytes;
use serde::Serialize;
use tongban_runtime::ports::Group;
use tongban_runtime::seams::Lane;
use tongban_types::{Code, NodeId};

use crate::cluster::{Cluster, group, node};

const APPEND: u16 = 5111;
const SNAPSHOT_PIECE: u16 = 5115;
const ENTRY: u16 = 5103;
const POSITION: u16 = 5104;

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

fn leads(term: u64) -> Vote {
    Vote {
        term,
        node: node(2).as_u64(),
        committed: true,
    }
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

async fn sent(cluster: &Cluster, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
    let answer = cluster.replica(node(3)).handle(peer, lane, body).await;
    assert!(!cluster.status(node(3)).stopped, "{answer:?}");
    answer
}
