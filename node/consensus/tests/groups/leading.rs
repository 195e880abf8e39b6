//! Who leads, and what proposals may rely on.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_runtime::ports::{Group, HandOverError, ProposeError};
use tongban_runtime::seams::Lane;
use tongban_types::limits::FRAME_BYTES_MAX;

use crate::cluster::{Cluster, PATIENCE, node};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_voters_elect_one_leader_and_apply_the_same() {
    let cluster = Cluster::of_three().await;
    for number in 0..20 {
        cluster.propose(format!("entry {number}")).await;
    }
    let leader = cluster.leader().await;
    assert_eq!(cluster.states[&leader].proposals().len(), 20);
    for voter in cluster.all() {
        cluster.until_equal(voter, leader).await;
        assert_eq!(cluster.status(voter).voters, cluster.voters);
    }
    let in_touch = || (cluster.status(leader).voters_in_touch == 3).then_some(());
    cluster.eventually("all voters in touch", in_touch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_proposals_at_once_are_each_applied_once() {
    let cluster = Cluster::of_three().await;
    let proposals = (0..200).map(|number| cluster.propose(format!("entry {number}")));
    let mut indexes = join_all(proposals).await;
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), 200);
    let leader = cluster.leader().await;
    assert_eq!(cluster.states[&leader].proposals().len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_group_goes_on_when_its_leader_stops() {
    let mut cluster = Cluster::of_three().await;
    cluster.propose("before").await;
    let first = cluster.leader().await;
    cluster.stop(first).await;
    let second = cluster.leader().await;
    assert_ne!(first, second);
    cluster.propose("after").await;
    assert_eq!(
        cluster.states[&second].proposals(),
        [Bytes::from("before"), Bytes::from("after")]
    );
    cluster.start(first).await;
    cluster.until_equal(first, second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_one_needs_nobody() {
    let mut cluster = Cluster::new(1, 0);
    cluster.start_all().await;
    cluster.propose("alone").await;
    assert_eq!(cluster.states[&node(1)].proposals(), ["alone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_on_a_follower_says_who_leads() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    let follower = *cluster
        .voters
        .iter()
        .find(|voter| **voter != leader)
        .unwrap();
    let refused = cluster
        .replica(follower)
        .propose(Bytes::from("x"), PATIENCE);
    let expected = ProposeError::NotLeader {
        leader: Some(leader),
    };
    assert_eq!(refused.await, Err(expected));
    assert!(cluster.states[&leader].proposals().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_too_large_for_a_frame_is_known_not_to_be_proposed() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.replica(cluster.leader().await);
    let entry = Bytes::from(vec![0; FRAME_BYTES_MAX]);
    for refused in [
        leader.propose(entry.clone(), PATIENCE).await,
        leader.propose_order(entry.clone(), PATIENCE).await,
    ] {
        let is_too_large =
            matches!(refused, Err(ProposeError::TooLarge { bytes, .. }) if bytes == entry.len());
        assert!(is_too_large, "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_cut_off_from_the_voters_acknowledges_nothing() {
    let cluster = Cluster::of_three().await;
    let cut_off = cluster.leader().await;
    cluster.network.cut_off(cut_off, &cluster.voters);
    let short = Duration::from_millis(300);
    let proposed = cluster
        .replica(cut_off)
        .propose(Bytes::from("lost?"), short)
        .await;
    assert!(matches!(
        proposed,
        Err(ProposeError::TimedOut | ProposeError::NotLeader { .. })
    ));
    let others = |status: &tongban_runtime::ports::GroupStatus| {
        status.leader.filter(|leader| *leader != cut_off)
    };
    let elected = cluster
        .eventually("another leader", || {
            let mut running = cluster.running.values();
            running.find_map(|replica| others(&replica.status()))
        })
        .await;
    cluster.network.heal();
    cluster.propose("kept").await;
    cluster.until_equal(cut_off, elected).await;
    assert!(
        cluster.states[&elected]
            .proposals()
            .contains(&Bytes::from("kept"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_that_was_cut_off_does_not_depose_the_leader() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    let term = cluster.status(leader).term;
    let away = *cluster
        .voters
        .iter()
        .find(|voter| **voter != leader)
        .unwrap();
    cluster.network.cut_off(away, &cluster.voters);
    cluster.propose("meanwhile").await;
    // It asks again and again whether it would be elected, and stays in its term.
    let asked = cluster
        .network
        .carried(away, leader, Lane::RaftControl)
        .requests;
    cluster
        .network
        .until_carried(away, leader, Lane::RaftControl, |carried| {
            carried.requests >= asked + 3
        })
        .await;
    assert_eq!(cluster.status(away).term, term);
    assert!(!cluster.status(away).hears_leader, "it knows of no quorum");
    cluster.network.heal();
    cluster.until_equal(away, leader).await;
    let hears = || cluster.status(away).hears_leader.then_some(());
    cluster.eventually("the leader is heard again", hears).await;
    cluster.propose("afterwards").await;
    assert_eq!(cluster.leader().await, leader);
    assert_eq!(cluster.status(leader).term, term);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_hands_over_when_asked() {
    let cluster = Cluster::of_three().await;
    cluster.propose("entry").await;
    let leader = cluster.leader().await;
    let successor = *cluster
        .voters
        .iter()
        .find(|voter| **voter != leader)
        .unwrap();
    let follower = cluster.replica(successor);
    let refused = follower.transfer_leader(successor).await;
    assert_eq!(
        refused,
        Err(HandOverError::NotLeader {
            leader: Some(leader)
        })
    );
    cluster.hand_over(leader, successor).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_is_not_handed_to_a_voter_that_does_not_run() {
    let mut cluster = Cluster::new(3, 0);
    cluster.start(node(1)).await;
    cluster.start(node(2)).await;
    cluster.propose("before").await;
    let leader = cluster.leader().await;
    let term = cluster.status(leader).term;
    let away = node(3);
    let refused = cluster.replica(leader).transfer_leader(away).await;
    assert_eq!(refused, Err(HandOverError::Silent { to: away }));
    let stranger = node(9);
    let refused = cluster.replica(leader).transfer_leader(stranger).await;
    assert_eq!(refused, Err(HandOverError::NoVoter { to: stranger }));
    cluster.propose("after").await;
    let status = cluster.status(leader);
    assert_eq!((status.leader, status.term), (Some(leader), term));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_is_handed_to_a_voter_that_lags_only_once_it_caught_up() {
    let cluster = Cluster::of_three().await;
    let leader = cluster.leader().await;
    let term = cluster.status(leader).term;
    let slow = *cluster
        .voters
        .iter()
        .find(|voter| **voter != leader)
        .unwrap();
    // It holds its vote for the leader, or it would answer nothing with a disk that sticks.
    cluster.propose("before").await;
    cluster.until_equal(slow, leader).await;
    cluster.disks[&slow].stick(true);
    join_all((0..100).map(|number| cluster.propose(format!("entry {number}")))).await;
    let refused = cluster.replica(leader).transfer_leader(slow).await;
    let lacks = |refused: &Result<(), HandOverError>| matches!(refused, Err(HandOverError::Behind { to, entries }) if *to == slow && *entries > 64);
    assert!(lacks(&refused), "{refused:?}");
    cluster.propose("still served").await;
    assert_eq!(cluster.status(leader).term, term);
    cluster.disks[&slow].stick(false);
    cluster.until_equal(slow, leader).await;
    cluster.hand_over(leader, slow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_heard_and_does_not_hear_is_replaced() {
    let cluster = Cluster::of_three().await;
    let deaf = cluster.leader().await;
    cluster.network.deafen(deaf);
    // What it goes on sending keeps the others as well as a heartbeat does.
    let replica = cluster.replica(deaf).clone();
    let lost = tokio::spawn(async move { replica.propose(Bytes::from("lost?"), PATIENCE).await });
    let elected = cluster.leader_but(deaf).await;
    cluster.propose("kept").await;
    cluster.network.heal();
    cluster.until_equal(deaf, elected).await;
    drop(lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_disk_hangs_without_an_error_is_replaced() {
    let cluster = Cluster::of_three().await;
    let hanging = cluster.leader().await;
    cluster.disks[&hanging].stick(true);
    let replica = cluster.replica(hanging).clone();
    // Again and again: on a busy machine the leader's lease may just have lapsed, and an order that is
    // turned away gives the disk nothing to hang on.
    let first = tokio::spawn(async move {
        loop {
            let _turned_away = replica.propose(Bytes::from("first"), PATIENCE).await;
            replica.changed(Duration::from_millis(50)).await;
        }
    });
    let elected = cluster.leader_but(hanging).await;
    first.abort();
    cluster.propose("second").await;
    // It serves again, as a follower or whatever it is elected to, once its disk does.
    cluster.disks[&hanging].stick(false);
    cluster.until_equal(hanging, elected).await;
    cluster.propose("third").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_appends_are_under_way_to_a_follower_and_heartbeats_pass_them() {
    let mut cluster = Cluster::new(3, 0);
    // An answer may be held back for as long as the shortest election takes; here that is long.
    cluster.adjust = |config| {
        config.election_ms_min = 20_000;
        config.election_ms_max = 30_000;
    };
    // The first voter stands as soon as it starts, and is elected if the others are there.
    for number in [3, 2, 1] {
        cluster.start(node(number)).await;
    }
    cluster.propose("entry").await;
    let leader = cluster.leader().await;
    let term = cluster.status(leader).term;
    let follower = *cluster
        .voters
        .iter()
        .find(|voter| **voter != leader)
        .unwrap();
    cluster.until_equal(follower, leader).await;
    let network = &cluster.network;
    let lane = Lane::RaftAppend;
    // Until then a leader asks for one answer at a time, and this one must not be held back.
    let what = "the leader knows what the follower holds";
    let knows = || {
        let status = cluster.status(leader);
        let of_follower = status.progress.iter().find(|of| of.node == follower)?;
        (of_follower.matching == status.last_index).then_some(())
    };
    cluster.eventually(what, knows).await;
    network
        .until_carried(leader, follower, lane, |carried| carried.under_way == 0)
        .await;
    network.withhold(lane, true);
    let mut proposals = Vec::new();
    for wanted in 1..=3 {
        let replica = cluster.replica(leader).clone();
        proposals.push(tokio::spawn(async move {
            replica.propose(Bytes::from(vec![0; 1000]), PATIENCE).await
        }));
        network
            .until_carried(leader, follower, lane, |carried| {
                carried.under_way >= wanted
            })
            .await;
    }
    let beats = network
        .carried(leader, follower, Lane::RaftControl)
        .requests;
    network
        .until_carried(leader, follower, Lane::RaftControl, |carried| {
            carried.requests >= beats + 3
        })
        .await;
    network.withhold(lane, false);
    for proposal in proposals {
        proposal.await.unwrap().unwrap();
    }
    assert_eq!(cluster.status(leader).term, term);
}
