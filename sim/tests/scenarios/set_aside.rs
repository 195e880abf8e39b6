//! A city's own node takes part in its group no more, and its partners go on.

use std::time::Duration;

use tongban_machine::{Write, WriteSet, last_hash_point};
use tongban_runtime::seams::Lane;
use tongban_runtime::{StoreView, Wait};
use tongban_sim::runtime::{Sleep, World};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::run::CALM_WITHIN;
use tongban_sim::world::scene::Scene;
use tongban_types::{CaseNumber, Code, GroupId};

use super::{
    DINGXI, FUZHOU, NANPING, WEINAN, calm_world, hand_in, leads_its_own, seen_at, spoil,
    stored_pairs, until,
};

/// So far ahead of a log no entry of these worlds comes.
const FAR_AHEAD: u64 = 1_000_000;

/// Turns what a machine compares the next report of another with. Its own reports name an entry far
/// ahead, with which nobody can compare them, so that it alone finds a difference and stops.
fn spoil_comparison(scene: &Scene, place: usize, other: usize, group: GroupId) {
    let theirs = StoreView::new(scene.machines[other].store().clone(), group);
    let Some((index, hash)) = last_hash_point(&theirs) else {
        return;
    };
    let mut pairs = stored_pairs(scene, place, group).into_iter();
    let (kept, turned) = hash.0.split_at(hash.0.len() - 1);
    let is_point = |(key, value): &(Vec<u8>, Vec<u8>)| {
        let mut parts = value.windows(kept.len());
        key.ends_with(&index.to_be_bytes()) && parts.any(|part| part == kept)
    };
    let Some((key, mut value)) = pairs.find(is_point) else {
        // Its replica is not there yet.
        return;
    };
    let mut ahead = key.clone();
    ahead.truncate(key.len() - size_of::<u64>());
    ahead.extend((index + FAR_AHEAD).to_be_bytes());
    value.pop();
    value.push(!turned[0]);
    let writes = WriteSet::from([(ahead, Write::Put(value.clone())), (key, Write::Put(value))]);
    spoil(scene, place, group, &writes);
}

/// Whether Fuzhou knows that a case it handed over was received, and waits for nothing.
fn is_answered(scene: &Scene, number: CaseNumber) -> bool {
    let case = scene.machines[FUZHOU]
        .handle()
        .and_then(|node| node.case(number).ok());
    let record = case.and_then(|case| case.record);
    let waits_for_none =
        seen_at(scene, FUZHOU, federation::group(FUZHOU)).is_some_and(|seen| seen.unanswered == 0);
    record.is_some_and(|record| record.received_at.is_some()) && waits_for_none
}

/// Deliveries that Nanping's node refused because its replica stopped.
fn refused_as_stopped(scene: &Scene) -> u64 {
    let refused = scene.machines[NANPING]
        .handle()
        .map(|node| node.report().refused_to_peers);
    let stopped = (Lane::Parcel, Code::GROUP_STOPPED);
    refused
        .and_then(|refused| refused.get(&stopped).copied())
        .unwrap_or(0)
}

#[test]
fn partners_answer_what_is_handed_to_a_city_whose_own_replica_was_set_aside() {
    let scene = calm_world(17);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let group = federation::group(NANPING);
        let is_at_work = |place| {
            let seen = seen_at(&scene, place, federation::group(place));
            let has_time = seen.is_some_and(|seen| seen.time.unix_ms() > 0);
            has_time && leads_its_own(&scene, place)
        };
        until("both cities lead their groups", || {
            is_at_work(FUZHOU) && is_at_work(NANPING)
        })
        .await;
        until("Nanping's own replica is set aside", || {
            let seen = seen_at(&scene, NANPING, group);
            let is_aside = seen.is_some_and(|seen| seen.diverged && seen.status.stopped);
            if !is_aside {
                spoil_comparison(&scene, NANPING, WEINAN, group);
            }
            is_aside
        })
        .await;
        let partners = [WEINAN, DINGXI].map(federation::node);
        until("a partner leads Nanping's group", || {
            [WEINAN, DINGXI].into_iter().all(|place| {
                let seen = seen_at(&scene, place, group);
                seen.is_some_and(|seen| {
                    let leader = seen.status.leader;
                    !seen.status.stopped && leader.is_some_and(|leader| partners.contains(&leader))
                })
            })
        })
        .await;
        let subject = "350102199001010003";
        let handed = hand_in(&scene, NANPING, subject, b"set aside", Wait::Replicated).await;
        let since = World::now();
        until("Fuzhou has the answer", || is_answered(&scene, handed.case)).await;
        let took = World::now().saturating_sub(since);
        assert!(took <= CALM_WITHIN, "it took {took:?}");
        assert!(
            refused_as_stopped(&scene) > 0,
            "its own node was asked first"
        );
        // And it stays so: nothing is sent again.
        Sleep::true_time(Duration::from_secs(5)).await;
        assert!(is_answered(&scene, handed.case));
    });
}
