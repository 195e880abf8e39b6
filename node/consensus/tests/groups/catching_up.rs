//! Replicas that are behind: learners, late joiners, and the snapshots they are sent.

use bytes::Bytes;
use tongban_runtime::ports::{Group, ReplicatedState};
use tongban_runtime::seams::Lane;
use tongban_types::NodeId;

use crate::cluster::{Cluster, node};
use crate::network::Carried;

/// One piece of a snapshot, and its head.
const PIECE_BYTES: usize = 1 << 20;

/// A group whose log no longer reaches back to its beginning, and whose snapshot takes five pieces.
/// The last node did not take part.
async fn purged_without(absent: NodeId, mut cluster: Cluster) -> Cluster {
    cluster.adjust = |config| config.kept_entries = 2;
    for present in cluster.all() {
        if present != absent {
            cluster.start(present).await;
        }
    }
    for number in 0..45_u8 {
        cluster.propose(vec![number; 100_000]).await;
    }
    let leader = cluster.leader().await;
    cluster.replica(leader).trigger_snapshot().await.unwrap();
    let purged = || (cluster.status(leader).purged_index > 30).then_some(());
    cluster.eventually("the log is purged", purged).await;
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_voter_is_caught_up_by_pieces_of_a_snapshot_and_goes_on_by_the_log() {
    let late = node(3);
    let mut cluster = purged_without(late, Cluster::new(3, 0)).await;
    let leader = cluster.leader().await;
    cluster.start(late).await;
    cluster.until_equal(late, leader).await;
    let pieces = cluster.network.carried(leader, late, Lane::RaftSnapshot);
    assert_eq!(pieces.requests, 5);
    assert!((PIECE_BYTES..PIECE_BYTES + 1024).contains(&pieces.body_bytes_max));
    cluster.propose("after the snapshot").await;
    cluster.until_equal(late, leader).await;
    let again = cluster.network.carried(leader, late, Lane::RaftSnapshot);
    assert_eq!(again.requests, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_cut_off_in_the_middle_goes_on_where_it_ended() {
    let late = node(3);
    let mut cluster = purged_without(late, Cluster::new(3, 0)).await;
    let leader = cluster.leader().await;
    cluster.network.refuse_one_after(Lane::RaftSnapshot, 3);
    cluster.start(late).await;
    cluster.until_equal(late, leader).await;
    // Three pieces, then the first again to learn where to go on, and the last two.
    let pieces = cluster.network.carried(leader, late, Lane::RaftSnapshot);
    assert_eq!(pieces.requests, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_snapshot_takes_nothing_from_a_transfer_and_leaves_no_file() {
    let late = node(3);
    let mut cluster = purged_without(late, Cluster::new(3, 0)).await;
    let leader = cluster.leader().await;
    cluster.propose("newer").await;
    let network = cluster.network.clone();
    network.withhold(Lane::RaftSnapshot, true);
    cluster.start(late).await;
    let began = |carried: Carried| carried.requests >= 1;
    network
        .until_carried(leader, late, Lane::RaftSnapshot, began)
        .await;
    cluster.states[&leader].cut_snapshot().await.unwrap();
    network.withhold(Lane::RaftSnapshot, false);
    cluster.until_equal(late, leader).await;
    let pieces = network.carried(leader, late, Lane::RaftSnapshot);
    assert_eq!(pieces.requests, 5);
    for replica in [leader, late] {
        let one_left = || (cluster.states[&replica].file_count() == 1).then_some(());
        cluster.eventually("one snapshot is left", one_left).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_holds_everything_and_is_not_counted() {
    let learner = node(4);
    let mut cluster = Cluster::new(3, 1);
    for voter in cluster.voters.clone() {
        cluster.start(voter).await;
    }
    cluster.propose("without it").await;
    cluster.start(learner).await;
    cluster.propose("with it").await;
    let leader = cluster.leader().await;
    cluster.until_equal(learner, leader).await;
    let status = cluster.status(learner);
    assert_eq!(status.learners, [learner]);
    assert_eq!(status.voters, cluster.voters);
    assert!(cluster.status(leader).voters_in_touch <= 3);
    // Voters 2 of 3 are gone: a learner makes no majority.
    for voter in cluster.voters.clone() {
        if voter != leader {
            cluster.stop(voter).await;
        }
    }
    let alone = cluster.replica(leader).clone();
    let short = std::time::Duration::from_millis(500);
    assert!(alone.propose(Bytes::from("no"), short).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_learner_is_caught_up_by_a_snapshot() {
    let late = node(4);
    let mut cluster = purged_without(late, Cluster::new(3, 1)).await;
    let leader = cluster.leader().await;
    cluster.start(late).await;
    cluster.until_equal(late, leader).await;
    assert!(
        cluster
            .network
            .carried(leader, late, Lane::RaftSnapshot)
            .requests
            >= 5
    );
}
