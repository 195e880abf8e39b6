//! What is left after power cuts, lost stores and broken disks.

use bytes::Bytes;
use tongban_consensus::{GroupConfig, StartError};
use tongban_runtime::ports::{Group, ProposeError};
use tongban_runtime::seams::Lane;
use tongban_types::Code;

use crate::cluster::{Cluster, PATIENCE};
use crate::network::Carried;
use crate::support::disk::MemoryDisk;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_from_the_same_disks_goes_on() {
    let mut cluster = Cluster::of_three().await;
    for number in 0..30 {
        cluster.propose(format!("entry {number}")).await;
    }
    for node in cluster.all() {
        cluster.stop(node).await;
    }
    cluster.start_all().await;
    cluster.propose("after the restart").await;
    let leader = cluster.leader().await;
    let held = cluster.states[&leader].proposals();
    assert_eq!(held.len(), 31);
    assert_eq!(held[30], Bytes::from("after the restart"));
    for node in cluster.all() {
        cluster.until_equal(node, leader).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_store_is_refilled_from_snapshot_and_log() {
    let mut cluster = Cluster::new(3, 0);
    cluster.adjust = |config| {
        config.snapshot_every_entries = 10;
        config.kept_entries = 2;
    };
    cluster.start_all().await;
    for number in 0..35 {
        cluster.propose(format!("entry {number}")).await;
    }
    let leader = cluster.leader().await;
    let purged = || (cluster.status(leader).purged_index >= 10).then_some(());
    cluster.eventually("the log is purged", purged).await;
    for node in cluster.all() {
        cluster.stop(node).await;
        let emptied = cluster.states[&node].without_store();
        assert!(emptied.proposals().is_empty());
        cluster.states.insert(node, emptied);
    }
    cluster.start_all().await;
    cluster.propose("last").await;
    let leader = cluster.leader().await;
    let held = cluster.states[&leader].proposals();
    let expected: Vec<Bytes> = (0..35)
        .map(|number| format!("entry {number}").into())
        .chain([Bytes::from("last")])
        .collect();
    assert_eq!(held, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_disk_stops_the_replica_and_not_the_group() {
    let mut cluster = Cluster::of_three().await;
    cluster.propose("before").await;
    let leader = cluster.leader().await;
    cluster.disks[&leader].break_down();
    let replica = cluster.replica(leader).clone();
    // Committed by the others or not: it is not acknowledged by a replica that cannot store it.
    let proposed = replica.propose(Bytes::from("x"), PATIENCE).await;
    assert!(proposed.is_err(), "{proposed:?}");
    let stopped = || cluster.status(leader).stopped.then_some(());
    cluster.eventually("the replica has stopped", stopped).await;
    let why = tokio::time::timeout(PATIENCE, replica.stopped()).await;
    assert!(why.unwrap().contains("broken"), "it says what broke");
    assert_eq!(
        replica.propose(Bytes::from("y"), PATIENCE).await,
        Err(ProposeError::Stopped)
    );
    cluster.stop(leader).await;
    cluster.propose("after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposals_end_when_the_group_is_shut_down() {
    let cluster = Cluster::of_three().await;
    cluster.propose("before").await;
    let leader = cluster.leader().await;
    cluster.network.cut_off(leader, &cluster.voters);
    let replica = cluster.replica(leader).clone();
    let appended = cluster.status(leader).last_index;
    let waiting = tokio::spawn({
        let replica = replica.clone();
        async move { replica.propose(Bytes::from("x"), PATIENCE).await }
    });
    let taken = || (cluster.status(leader).last_index > appended).then_some(());
    cluster
        .eventually("the entry is in the leader's log", taken)
        .await;
    replica.shut_down().await;
    assert_eq!(waiting.await.unwrap(), Err(ProposeError::Stopped));
    assert!(replica.status().stopped);
    let why = tokio::time::timeout(PATIENCE, replica.stopped()).await;
    assert_eq!(why.unwrap(), "raft stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_never_runs_ahead_of_its_own_durable_log() {
    let cluster = Cluster::of_three().await;
    cluster.propose("before").await;
    let leader = cluster.leader().await;
    let slow = *cluster
        .voters
        .iter()
        .find(|voter| **voter != leader)
        .unwrap();
    cluster.until_equal(slow, leader).await;
    cluster.disks[&slow].stick(true);
    let index = cluster.propose("committed by the others").await;
    let received = || (cluster.status(slow).last_index >= index).then_some(());
    cluster
        .eventually("the slow one has the entry", received)
        .await;
    // Heartbeats are answered one by one, and each says how far the group is committed.
    let beats = cluster
        .network
        .carried(leader, slow, Lane::RaftControl)
        .requests;
    let told = |carried: Carried| carried.requests >= beats + 4;
    cluster
        .network
        .until_carried(leader, slow, Lane::RaftControl, told)
        .await;
    assert_eq!(cluster.states[&slow].proposals(), ["before"]);
    cluster.disks[&slow].stick(false);
    cluster.until_equal(slow, leader).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lost_its_log_and_kept_its_state_does_not_start() {
    let mut cluster = Cluster::of_three().await;
    cluster.propose("entry").await;
    let leader = cluster.leader().await;
    cluster.stop(leader).await;
    cluster.disks.insert(leader, MemoryDisk::default());
    let refused = cluster.try_start(leader).await;
    assert!(matches!(refused, Err(StartError::LogLost)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_contradict_each_other_are_refused() {
    let changes: [fn(&mut GroupConfig); 4] = [
        |config| config.heartbeat_ms = config.election_ms_min,
        |config| config.election_ms_max = config.election_ms_min,
        |config| config.append_bytes_max = 1 << 30,
        |config| config.voters.retain(|voter| *voter != config.me),
    ];
    for adjust in changes {
        let mut cluster = Cluster::new(3, 0);
        cluster.adjust = adjust;
        let refused = cluster.try_start(cluster.voters[0]).await;
        let code = refused.map(drop).map_err(|error| error.code());
        assert_eq!(code, Err(Code::GROUP_SETTINGS));
    }
}
