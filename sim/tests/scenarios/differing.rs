//! A replica that differs from the others: what its node and theirs still do.

use std::time::Duration;

use tongban_machine::{Write, WriteSet};
use tongban_runtime::{StoreView, Wait};
use tongban_sim::runtime::{Sleep, World};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_types::GroupId;

use super::{
    DINGXI, FUZHOU, PUTIAN, calm_world, hand_in, has_case, seen_at, spoil, stored_pairs, until,
};

/// Whether a machine set its replica of a group aside, because it differs from the others.
fn is_aside(scene: &Scene, place: usize, group: GroupId) -> bool {
    let seen = seen_at(scene, place, group);
    seen.is_some_and(|seen| seen.diverged && seen.status.stopped)
}

/// Turns the state hash that a machine keeps of a group, as rot in its store might.
fn spoil_state_hash(scene: &Scene, place: usize, group: GroupId) {
    let store = scene.machines[place].store().clone();
    let hash = tongban_machine::state_hash(&StoreView::new(store, group)).0;
    let mut writes = WriteSet::new();
    for (key, mut value) in stored_pairs(scene, place, group) {
        if let Some(at) = value.windows(hash.len()).position(|part| part == hash) {
            value[at] ^= 1;
            writes.insert(key, Write::Put(value));
        }
    }
    assert!(!writes.is_empty(), "the hash stands in the state");
    spoil(scene, place, group, &writes);
}

#[test]
fn a_replica_that_differs_stays_aside_while_its_node_serves_its_own_and_the_others_go_on() {
    let scene = calm_world(12);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let (own, other) = (federation::group(PUTIAN), federation::group(DINGXI));
        let is_led = |group| {
            let seen = seen_at(&scene, PUTIAN, group);
            seen.is_some_and(|seen| seen.status.leader.is_some() && seen.time.unix_ms() > 0)
        };
        until("both groups are at work", || is_led(own) && is_led(other)).await;
        // Fuzhou and Dingxi agree, so both know that it is Putian.
        spoil_state_hash(&scene, PUTIAN, other);
        until("the difference is noticed", || {
            is_aside(&scene, PUTIAN, other)
        })
        .await;
        // Other groups sync the log meanwhile, so that it remembers that the entry was committed.
        Sleep::true_time(Duration::from_secs(5)).await;
        scene.machines[PUTIAN].crash(&scene.net);
        scene.start(PUTIAN);
        until("it is up and its own group led", || is_led(own)).await;
        assert_eq!(scene.machines[PUTIAN].start_failure(), None);
        assert!(
            is_aside(&scene, PUTIAN, other),
            "what diverged stays set aside"
        );

        let subject = "350102199001010003";
        let case = hand_in(&scene, DINGXI, subject, b"aside", Wait::Replicated).await;
        until("Dingxi has the case", || {
            has_case(&scene, DINGXI, case.case)
        })
        .await;
        until("Fuzhou has the answer, certified by two of three", || {
            seen_at(&scene, FUZHOU, federation::group(FUZHOU))
                .is_some_and(|seen| seen.unanswered == 0)
        })
        .await;
        // Longer than an undecided difference is borne.
        Sleep::true_time(Duration::from_secs(90)).await;
        for place in [FUZHOU, DINGXI] {
            let seen = seen_at(&scene, place, other).unwrap();
            assert!(!seen.status.stopped && !seen.diverged, "{place} goes on");
        }
        assert!(is_aside(&scene, PUTIAN, other));
    });
}

#[test]
fn with_one_voter_down_two_that_differ_do_not_go_on() {
    let scene = calm_world(16);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let group = federation::group(DINGXI);
        let is_led = |place| {
            let seen = seen_at(&scene, place, group);
            seen.is_some_and(|seen| seen.status.leader.is_some() && seen.time.unix_ms() > 0)
        };
        until("the group is at work", || is_led(FUZHOU) && is_led(PUTIAN)).await;
        scene.machines[DINGXI].crash(&scene.net);
        spoil_state_hash(&scene, PUTIAN, group);
        let both = [FUZHOU, PUTIAN];
        until("one of them stops", || {
            both.iter().any(|place| is_aside(&scene, *place, group))
        })
        .await;
        let decides = |place| {
            let seen = seen_at(&scene, place, group);
            seen.is_some_and(|seen| !seen.status.stopped && seen.has_quorum)
        };
        until("the other decides nothing by itself", || {
            !both.into_iter().any(decides)
        })
        .await;
    });
}
