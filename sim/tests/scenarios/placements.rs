//! Groups that move to other machines by signed orders, in a calm world.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tongban_sim::runtime::{Sleep, World};
use tongban_sim::world::ask::ask;
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_types::{NodeId, PlacementOrder, Purpose, Signed, decode, encode};

use super::{
    DINGXI, FUZHOU, NANPING, NINGDE, PUTIAN, STEP_LIMIT, WEINAN, calm_world, seen_at, until,
};

/// An order for Fuzhou's group, signed by the governance key of a city.
fn order_by(governor: usize, version: u64, voters: [usize; 3], learners: &[usize]) -> Signed {
    let mut voters = voters.map(federation::node).to_vec();
    voters.sort_unstable();
    let order = PlacementOrder {
        group: federation::group(FUZHOU),
        version,
        voters,
        learners: learners.iter().copied().map(federation::node).collect(),
        reason: "演练".to_owned(),
    };
    federation::governance_key(governor).sign(Purpose::PlacementOrder, encode(&order))
}

/// The nodes that a change would wait for, as Fuzhou plans it.
async fn waits_for(scene: &Arc<Scene>, signed: &Signed) -> BTreeSet<NodeId> {
    let order: PlacementOrder = decode(&signed.bytes).unwrap();
    let planned = ask(scene, FUZHOU, |node| async move {
        let planned = node.groups().plan(&order).await;
        planned.map(|plan| plan.waits_for)
    });
    planned.await.unwrap()
}

/// Whether a machine leads or follows Fuzhou's group with these members, nothing under way.
fn stands(scene: &Scene, place: usize, voters: [usize; 3], learners: &[usize]) -> bool {
    let nodes = |places: &[usize]| {
        let mut nodes: Vec<_> = places.iter().copied().map(federation::node).collect();
        nodes.sort_unstable();
        nodes
    };
    let seen = seen_at(scene, place, federation::group(FUZHOU));
    seen.is_some_and(|seen| {
        let status = seen.status;
        status.members.voter_sets.len() == 1
            && status.voters == nodes(&voters)
            && status.learners == nodes(learners)
    })
}

async fn order(scene: &Arc<Scene>, at: usize, order: Signed) {
    let end = World::now() + STEP_LIMIT;
    loop {
        let order = order.clone();
        let placed = ask(
            scene,
            at,
            |node| async move { node.groups().order(order).await },
        )
        .await;
        match placed {
            Ok(()) => return,
            Err(refused) => assert!(World::now() < end, "never ordered: {refused:?}"),
        }
        Sleep::true_time(Duration::from_millis(200)).await;
    }
}

/// A calm world in which Fuzhou leads its own group.
async fn fuzhou_at_work(scene: &Arc<Scene>) {
    for place in 0..CITIES.len() {
        scene.start(place);
    }
    until("Fuzhou's group is at work and led from home", || {
        seen_at(scene, FUZHOU, federation::group(FUZHOU)).is_some_and(|seen| {
            let home = federation::node(FUZHOU);
            seen.time.unix_ms() > 0 && seen.status.leader == Some(home)
        })
    })
    .await;
}

async fn all_stand(scene: &Arc<Scene>, at: &[usize], voters: [usize; 3], learners: &[usize]) {
    for place in at {
        let what = format!("{} stands as ordered", CITIES[*place].1);
        until(&what, || stands(scene, *place, voters, learners)).await;
    }
}

#[test]
fn a_group_moves_to_other_machines_by_order_and_those_it_left_put_it_away() {
    let scene = calm_world(13);
    World::block_on(async {
        fuzhou_at_work(&scene).await;
        let group = federation::group(FUZHOU);
        assert!(seen_at(&scene, NANPING, group).is_none());
        let (voters, learners) = ([FUZHOU, NANPING, WEINAN], [PUTIAN]);
        order(&scene, FUZHOU, order_by(FUZHOU, 1, voters, &learners)).await;
        let placed = [FUZHOU, NANPING, WEINAN, PUTIAN];
        all_stand(&scene, &placed, voters, &learners).await;
        until("Ningde put it away", || {
            seen_at(&scene, NINGDE, group).is_none()
        })
        .await;
        // Ningde votes in no other group of this machine's.
        let peers = scene.machines[FUZHOU].gauges().unwrap().peers;
        assert!(peers.contains_key(&federation::node(NANPING)), "{peers:?}");
        assert!(!peers.contains_key(&federation::node(NINGDE)), "{peers:?}");
        // Both machines it began with beside Fuzhou's may go: the group is with the others.
        for gone in [PUTIAN, NINGDE] {
            scene.machines[gone].crash(&scene.net);
        }
        let before = seen_at(&scene, FUZHOU, group).unwrap().time;
        until("its time goes on by the new voters", || {
            let seen = seen_at(&scene, FUZHOU, group);
            seen.is_some_and(|seen| seen.time > before)
        })
        .await;
        for back in [PUTIAN, NINGDE] {
            scene.start(back);
        }
        until("who left stays away after a restart", || {
            let node = scene.machines[NINGDE].handle();
            node.is_some_and(|node| {
                node.report()
                    .groups
                    .iter()
                    .any(|seen| seen.status.leader.is_some())
            }) && seen_at(&scene, NINGDE, group).is_none()
        })
        .await;
        until("the learner is back", || {
            stands(&scene, PUTIAN, voters, &learners)
        })
        .await;
        // And home again: who left is taken in anew, with what it kept.
        let home = [FUZHOU, PUTIAN, NINGDE];
        order(&scene, FUZHOU, order_by(FUZHOU, 2, home, &[])).await;
        all_stand(&scene, &home, home, &[]).await;
    });
}

#[test]
fn a_plan_waits_for_the_newcomers_that_do_not_answer_and_for_no_others() {
    let scene = calm_world(17);
    World::block_on(async {
        fuzhou_at_work(&scene).await;
        let order = order_by(FUZHOU, 1, [FUZHOU, NANPING, WEINAN], &[]);
        assert_eq!(waits_for(&scene, &order).await, BTreeSet::new());
        scene.machines[WEINAN].crash(&scene.net);
        let down = BTreeSet::from([federation::node(WEINAN)]);
        assert_eq!(waits_for(&scene, &order).await, down);
    });
}

#[test]
fn an_order_that_the_citys_governance_did_not_sign_moves_nothing() {
    let scene = calm_world(14);
    World::block_on(async {
        fuzhou_at_work(&scene).await;
        let home = [FUZHOU, PUTIAN, NINGDE];
        let forged = order_by(PUTIAN, 1, [FUZHOU, NANPING, WEINAN], &[]);
        let refused = ask(&scene, FUZHOU, |node| async move {
            node.groups().order(forged).await
        })
        .await;
        assert!(refused.is_err(), "{refused:?}");
        Sleep::true_time(Duration::from_secs(5)).await;
        assert!(stands(&scene, FUZHOU, home, &[]));
        assert!(seen_at(&scene, NANPING, federation::group(FUZHOU)).is_none());
    });
}

#[test]
fn of_two_orders_of_one_version_only_the_one_in_force_moves_anybody() {
    let scene = calm_world(15);
    World::block_on(async {
        fuzhou_at_work(&scene).await;
        let group = federation::group(FUZHOU);
        scene.net.isolate(federation::node(FUZHOU));
        let lost = order_by(FUZHOU, 1, [FUZHOU, NANPING, WEINAN], &[]);
        let unclear = ask(&scene, FUZHOU, |node| async move {
            node.groups().order(lost).await
        })
        .await;
        assert!(unclear.is_err(), "it stands in one log of three");
        let voters = [FUZHOU, PUTIAN, DINGXI];
        order(&scene, PUTIAN, order_by(FUZHOU, 1, voters, &[])).await;
        all_stand(&scene, &[PUTIAN, DINGXI], voters, &[]).await;
        scene.net.calm();
        all_stand(&scene, &voters, voters, &[]).await;
        until("Ningde put it away", || {
            seen_at(&scene, NINGDE, group).is_none()
        })
        .await;
        for never in [NANPING, WEINAN] {
            assert!(seen_at(&scene, never, group).is_none());
        }
    });
}

#[test]
fn a_group_moves_twice_while_the_citys_own_machine_is_down_and_is_found_by_it_again() {
    let scene = calm_world(16);
    World::block_on(async {
        fuzhou_at_work(&scene).await;
        scene.machines[FUZHOU].crash(&scene.net);
        // The newcomers hear a leader that the order does not name, until it hands over.
        let voters = [FUZHOU, NANPING, WEINAN];
        order(&scene, PUTIAN, order_by(FUZHOU, 1, voters, &[])).await;
        all_stand(&scene, &[NANPING, WEINAN], voters, &[]).await;
        let voters = [FUZHOU, WEINAN, DINGXI];
        order(&scene, NANPING, order_by(FUZHOU, 2, voters, &[])).await;
        all_stand(&scene, &[WEINAN, DINGXI], voters, &[]).await;
        // Of those whom its log names all have left.
        scene.start(FUZHOU);
        all_stand(&scene, &voters, voters, &[]).await;
    });
}
