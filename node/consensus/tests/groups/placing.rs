//! Voters that change while the group works: orders carried out step by step, by whoever leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tongban_runtime::ports::{Arranged, Group, ProposeError};
use tongban_types::NodeId;

use crate::cluster::{Cluster, PATIENCE, Replica, node, order};

/// Proposes numbered entries at whoever leads until told to stop; says which were acknowledged.
async fn load(replicas: Vec<Replica>, stop: Arc<AtomicBool>) -> Vec<Bytes> {
    let mut acknowledged = Vec::new();
    for number in 0_u32.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let entry = Bytes::from(format!("load {number}"));
        for replica in &replicas {
            let patience = Duration::from_secs(5);
            match replica.propose(entry.clone(), patience).await {
                Ok(_index) => {
                    acknowledged.push(entry);
                    break;
                }
                // It may be in the log; it is not asked for again, so it is there once or not at all.
                Err(ProposeError::TimedOut) => break,
                Err(ProposeError::NotLeader { .. } | ProposeError::Stopped) => {}
                Err(too_large @ ProposeError::TooLarge { .. }) => panic!("{too_large}"),
            }
        }
        tokio::task::yield_now().await;
    }
    acknowledged
}

fn assert_members(cluster: &Cluster, at: NodeId, voters: &[u8], learners: &[u8]) {
    let status = cluster.status(at);
    let nodes = |numbers: &[u8]| -> Vec<NodeId> { numbers.iter().copied().map(node).collect() };
    assert_eq!(status.voters, nodes(voters));
    assert_eq!(status.learners, nodes(learners));
    assert_eq!(status.members.voter_sets.len(), 1, "no joint set is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voters_come_and_go_under_load_and_nothing_acknowledged_is_lost() {
    let mut cluster = Cluster::of_three().await;
    cluster.join(node(4), &[1, 2, 3, 4, 5]).await;
    cluster.join(node(5), &[1, 2, 3, 4, 5]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let replicas = cluster.running.values().cloned().collect();
    let loading = tokio::spawn(load(replicas, stop.clone()));
    cluster.place(1, &[1, 2, 4], &[5]).await;
    cluster.place(2, &[1, 4, 5], &[2]).await;
    cluster.place(3, &[2, 4, 5], &[]).await;
    cluster.place(4, &[1, 2, 3, 4, 5], &[]).await;
    cluster.place(5, &[1, 2, 3], &[4]).await;
    stop.store(true, Ordering::SeqCst);
    let acknowledged = loading.await.unwrap();
    let leader = cluster.any_leader().unwrap();
    assert_members(&cluster, leader, &[1, 2, 3], &[4]);
    for replica in [1, 2, 3, 4].map(node) {
        cluster.until_equal(replica, leader).await;
    }
    let held = cluster.states[&leader].proposals();
    assert!(!acknowledged.is_empty());
    for entry in acknowledged {
        let times = held.iter().filter(|held| **held == entry).count();
        assert_eq!(times, 1, "{entry:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_replaced_under_a_new_number_and_caught_up_by_a_snapshot() {
    let mut cluster = Cluster::new(3, 0);
    cluster.adjust = |config| config.kept_entries = 2;
    cluster.start_all().await;
    for number in 0..20_u8 {
        cluster.propose(vec![number; 1_000]).await;
    }
    let dead = node(3);
    if cluster.leader().await == dead {
        cluster.hand_over(dead, node(1)).await;
    }
    cluster.stop(dead).await;
    cluster.disks.remove(&dead);
    cluster.states.remove(&dead);
    let leader = cluster.leader_but(dead).await;
    cluster.replica(leader).trigger_snapshot().await.unwrap();
    let purged = || (cluster.status(leader).purged_index > 10).then_some(());
    cluster.eventually("the log is purged", purged).await;
    cluster.join(node(4), &[1, 2, 4]).await;
    cluster.place(1, &[1, 2, 4], &[]).await;
    cluster.until_equal(node(4), node(1)).await;
    let leader = cluster.any_leader().unwrap();
    assert_members(&cluster, leader, &[1, 2, 4], &[]);
    // The newcomer counts: with one of the others gone, both that are left make a majority.
    let other = [1, 2].map(node).into_iter().find(|node| *node != leader);
    cluster.stop(other.unwrap()).await;
    cluster.voters = vec![node(1), node(2), node(4)];
    cluster.propose("by the newcomer's vote").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leads_next_goes_on_from_a_joint_set() {
    let mut cluster = Cluster::of_three().await;
    cluster.join(node(4), &[1, 2, 3, 4]).await;
    let first = cluster.leader().await;
    // A follower is to leave: the leader itself would hand over before.
    let leaves = (1..=3).find(|number| node(*number) != first).unwrap();
    let voters: Vec<u8> = (1..=4).filter(|number| *number != leaves).collect();
    let entry = order(1, &voters, &[]);
    cluster.enter_order(&entry).await;
    let joint = || {
        let leads = cluster.any_leader()?;
        let sets = cluster.status(leads).members.voter_sets.len();
        (sets == 2).then_some(leads)
    };
    let until_joint = async {
        loop {
            if let Some(leads) = joint() {
                return leads;
            }
            let _another_leads = cluster.arrange().await;
            cluster.pause().await;
        }
    };
    let leader = tokio::time::timeout(PATIENCE, until_joint).await.unwrap();
    cluster.stop(leader).await;
    cluster.start(leader).await;
    let going_on = async {
        while cluster.arrange().await != Some(Ok(Arranged::Stands)) {
            cluster.pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, going_on).await.unwrap();
    let leads = cluster.any_leader().unwrap();
    assert_members(&cluster, leads, &voters, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_itself_can_be_moved_away() {
    let mut cluster = Cluster::of_three().await;
    cluster.join(node(4), &[1, 2, 3, 4]).await;
    let leader = cluster.leader().await;
    let voters: Vec<u8> = (1..=4).filter(|number| node(*number) != leader).collect();
    cluster.place(1, &voters, &[]).await;
    let leads = cluster.any_leader().unwrap();
    assert_ne!(leads, leader);
    assert_members(&cluster, leads, &voters, &[]);
    let after = cluster.replica(leads).propose("after it".into(), PATIENCE);
    assert!(after.await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_order_nothing_changes_and_a_follower_changes_nothing() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    let arranged = cluster.replica(leader).arrange(PATIENCE).await;
    assert!(matches!(arranged, Ok(Arranged::Stands | Arranged::Waits)));
    assert_members(&cluster, leader, &[1, 2, 3], &[]);
    for follower in cluster.voters.iter().filter(|node| **node != leader) {
        let arranged = cluster.replica(*follower).arrange(PATIENCE).await;
        assert!(matches!(arranged, Err(ProposeError::NotLeader { .. })));
    }
}
