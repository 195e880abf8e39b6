//! Snapshots that are none, that there is no room for, or that would take away what the log holds.

use tongban_runtime::ports::ReplicatedState;
use tongban_runtime::seams::Lane;
use tongban_types::Code;

use super::{Id, Membership, append, file, follower, leads, piece, position, sent};
use crate::cluster::node;

/// What an answer to a piece says, behind its kind and its version.
const INSTALLED: u8 = 1;

fn voters() -> Membership {
    let all: Vec<u64> = (1..=3).map(|number| node(number).as_u64()).collect();
    Membership {
        voters: vec![all.clone()],
        replicas: all,
    }
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
