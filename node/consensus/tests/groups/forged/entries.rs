//! Entries that lie about who the members are, or stand in the place of committed ones.

use tongban_runtime::ports::Group;
use tongban_runtime::seams::Lane;
use tongban_types::Code;

use super::{ENTRY, Id, Membership, append, follower, leads, sent};
use crate::cluster::{Cluster, node, order};

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
