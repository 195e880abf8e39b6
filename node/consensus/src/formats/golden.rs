//! Golden vectors: every kind and every tag, as it was first written. Bytes that change here break
//! logs and peers that exist. And what no decoder may do with any bytes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use tongban_types::{CityCode, GroupId};

use super::*;
use crate::raft_types::{
    Entry, Membership, Payload, Proposal, StoredMembership, Vote, log_id, membership,
};

fn group() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

fn first_membership() -> Membership {
    let voters = BTreeSet::from([35_010_001, 35_010_002, 35_030_001]);
    let replicas = [35_010_001, 35_010_002, 35_030_001, 61_050_001];
    membership(vec![voters], replicas).unwrap()
}

fn position() -> Position {
    Position {
        applied: Some(log_id(7, 300)),
        membership: StoredMembership::new(Some(log_id(0, 0)), first_membership()),
    }
}

fn leader() -> Vote {
    Vote::new_committed(7, 35_010_001)
}

fn entries() -> Vec<Entry> {
    let payloads = [
        Payload::Blank,
        Payload::Normal(Proposal(Bytes::from_static(b"proposal"))),
        Payload::Membership(first_membership()),
        Payload::Normal(Proposal(quotable())),
    ];
    let numbered = payloads.into_iter().zip(301..);
    numbered
        .map(|(payload, index)| Entry {
            log_id: log_id(7, index),
            payload,
        })
        .collect()
}

/// A proposal that starts like an entry of ours.
fn quotable() -> Bytes {
    encode_entry(&Payload::Blank)
}

fn append() -> AppendRequest {
    AppendRequest {
        vote: leader(),
        previous: Some(log_id(6, 300)),
        committed: Some(log_id(6, 299)),
        entries: entries(),
    }
}

fn piece() -> SnapshotPiece {
    SnapshotPiece {
        vote: leader(),
        position: position(),
        length: 9,
        offset: 4,
        piece: Bytes::from_static(b"state"),
    }
}

fn ballot() -> BallotRequest {
    BallotRequest {
        vote: Vote::new(8, 35_010_002),
        last: Some(log_id(7, 301)),
        handed_over: true,
        only_asking: false,
    }
}

fn transfer() -> TransferRequest {
    TransferRequest {
        from: leader(),
        to: 35_010_002,
        last: Some(log_id(7, 301)),
    }
}

/// Every record there is, by name.
fn records() -> Vec<(&'static str, Bytes)> {
    let entries = entries();
    vec![
        ("vote", encode_vote(&Vote::new(8, 35_010_002))),
        ("vote of a leader", encode_vote(&leader())),
        ("log id", encode_log_id(Some(&log_id(7, 300)))),
        ("no log id", encode_log_id(None)),
        ("entry blank", encode_entry(&entries[0].payload)),
        ("entry proposal", encode_entry(&entries[1].payload)),
        ("entry membership", encode_entry(&entries[2].payload)),
        ("entry quoted", encode_entry(&entries[3].payload)),
        ("position", position().encode().into()),
        ("append", append().encode(group())),
        ("append answer stored", AppendAnswer::Stored.encode()),
        (
            "append answer stored up to",
            AppendAnswer::StoredUpTo(Some(log_id(7, 301))).encode(),
        ),
        ("append answer conflict", AppendAnswer::Conflict.encode()),
        (
            "append answer higher vote",
            AppendAnswer::HigherVote(leader()).encode(),
        ),
        ("ballot", ballot().encode(group())),
        (
            "ballot answer",
            BallotAnswer {
                vote: Vote::new(8, 35_010_002),
                last: None,
                granted: true,
            }
            .encode(),
        ),
        ("snapshot piece", piece().encode(group())),
        (
            "snapshot answer continue",
            SnapshotAnswer::Continue(1 << 20).encode(),
        ),
        (
            "snapshot answer installed",
            SnapshotAnswer::Installed(leader()).encode(),
        ),
        (
            "snapshot answer higher vote",
            SnapshotAnswer::HigherVote(leader()).encode(),
        ),
        ("transfer", transfer().encode(group())),
        (
            "transfer answer accepted",
            TransferAnswer::Accepted.encode(),
        ),
        (
            "transfer answer vote changed",
            TransferAnswer::VoteChanged {
                expected: leader(),
                actual: Vote::new(8, 35_010_002),
            }
            .encode(),
        ),
        (
            "transfer answer log behind",
            TransferAnswer::LogBehind {
                expected: Some(log_id(7, 301)),
                actual: None,
            }
            .encode(),
        ),
    ]
}

#[test]
fn records_are_written_as_they_always_were() {
    let mut written = String::new();
    for (name, bytes) in records() {
        writeln!(written, "{name} = {}", HEXLOWER.encode(&bytes)).unwrap();
    }
    assert_eq!(written, include_str!("golden.txt"));
}

#[test]
fn records_read_back_as_they_were_written() {
    assert_eq!(decode_vote(&encode_vote(&leader())), Ok(leader()));
    let id = Some(log_id(7, 300));
    assert_eq!(decode_log_id(&encode_log_id(id.as_ref())), Ok(id));
    assert_eq!(Position::decode(&position().encode()), Ok(position()));
    let empty = Position::default();
    assert_eq!(Position::decode(&empty.encode()), Ok(empty));
    for entry in entries() {
        assert_eq!(
            decode_entry(&encode_entry(&entry.payload)),
            Ok(entry.payload)
        );
    }
    assert_eq!(
        AppendRequest::decode(&append().encode(group())),
        Ok(append())
    );
    assert_eq!(SnapshotPiece::decode(&piece().encode(group())), Ok(piece()));
    assert_eq!(
        BallotRequest::decode(&ballot().encode(group())),
        Ok(ballot())
    );
    assert_eq!(
        TransferRequest::decode(&transfer().encode(group())),
        Ok(transfer())
    );
    assert_eq!(group_of(&append().encode(group())), Some(group()));
}

#[test]
fn the_bytes_of_a_proposal_are_shared_and_not_copied() {
    let proposal = Bytes::from(vec![1; 300_000]);
    let stored = encode_entry(&Payload::Normal(Proposal(proposal.clone())));
    assert_eq!(stored.as_ptr(), proposal.as_ptr());
    let frame = append().encode(group());
    let received = AppendRequest::decode(&frame).unwrap();
    let Payload::Normal(Proposal(bytes)) = &received.entries[1].payload else {
        panic!("the second entry is a proposal");
    };
    assert!(frame.as_ptr_range().contains(&bytes.as_ptr()));
}

#[test]
fn what_openraft_takes_for_granted_is_checked() {
    let refused = |change: fn(&mut AppendRequest)| {
        let mut request = append();
        change(&mut request);
        AppendRequest::decode(&request.encode(group())).is_err()
    };
    assert!(!refused(|_| {}));
    assert!(refused(|request| request.vote = Vote::new(7, 35_010_001)));
    assert!(refused(|request| request.entries[0].log_id = log_id(5, 301)));
    assert!(refused(|request| request.entries[3].log_id = log_id(8, 304)));
    assert!(refused(
        |request| request.previous = Some(log_id(6, u64::MAX))
    ));
    let refused = |change: fn(&mut SnapshotPiece)| {
        let mut request = piece();
        change(&mut request);
        SnapshotPiece::decode(&request.encode(group())).is_err()
    };
    assert!(!refused(|_| {}));
    assert!(refused(
        |request| request.position.applied = Some(log_id(8, 1))
    ));
    assert!(refused(|request| request.position.applied = None));
    assert!(refused(|request| request.length = 8));
    assert!(refused(|request| request.offset = u64::MAX));
    assert!(refused(|request| request.piece = Bytes::new()));
    assert!(refused(|request| {
        request.length = 1 << 22;
        request.piece = vec![0; PIECE_BYTES_MAX + 1].into();
    }));
}

fn decode_all(bytes: &Bytes) {
    let _ = decode_vote(bytes);
    let _ = decode_log_id(bytes);
    let _ = decode_entry(bytes);
    let _ = Position::decode(bytes);
    let _ = AppendRequest::decode(bytes);
    let _ = AppendAnswer::decode(bytes);
    let _ = BallotRequest::decode(bytes);
    let _ = BallotAnswer::decode(bytes);
    let _ = SnapshotPiece::decode(bytes);
    let _ = SnapshotAnswer::decode(bytes);
    let _ = TransferRequest::decode(bytes);
    let _ = TransferAnswer::decode(bytes);
    let _ = group_of(bytes);
}

proptest! {
    #[test]
    fn no_decoder_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_all(&bytes.into());
    }

    #[test]
    fn no_decoder_panics_on_damaged_records(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        change in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let records = records();
        let mut bytes = records[which.index(records.len())].1.to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        decode_all(&bytes.clone().into());
        bytes.truncate(cut.index(bytes.len() + 1));
        decode_all(&bytes.into());
    }
}
