//! Reads that see every acknowledged write.

use std::time::Duration;

use tongban_runtime::ports::{Group, ProposeError};

use crate::cluster::{Cluster, PATIENCE};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_index_holds_what_was_acknowledged_before() {
    let cluster = Cluster::of_three().await;
    for number in 0..10 {
        let written = cluster.propose(format!("entry {number}")).await;
        let leader = cluster.leader().await;
        let read = cluster.replica(leader).read_index(PATIENCE).await.unwrap();
        assert!(read >= written, "{read} is older than {written}");
        for voter in cluster.all() {
            let replica = cluster.replica(voter);
            replica.wait_applied(read, PATIENCE).await.unwrap();
            let held = cluster.states[&voter].proposals();
            assert!(held.contains(&format!("entry {number}").into()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_gives_no_read_index_and_says_who_does() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    for voter in cluster.all() {
        if voter != leader {
            let refused = cluster.replica(voter).read_index(PATIENCE).await;
            let expected = ProposeError::NotLeader {
                leader: Some(leader),
            };
            assert_eq!(refused, Err(expected));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_cut_off_confirms_no_read() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    cluster.network.cut_off(leader, &cluster.voters);
    let read = cluster
        .replica(leader)
        .read_index(Duration::from_secs(2))
        .await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_an_index_that_does_not_come_ends_in_time() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    let waited = cluster
        .replica(leader)
        .wait_applied(1_000_000, Duration::from_millis(50));
    assert_eq!(waited.await, Err(ProposeError::TimedOut));
}
