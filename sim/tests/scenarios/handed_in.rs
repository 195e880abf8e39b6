//! What is handed in at Fuzhou: for an item not known yet, for a city that cannot be reached, and under a
//! number that comes again.

use std::sync::Arc;

use tongban_runtime::ports::{LocalLog as _, LocalTable, LocalWrite};
use tongban_runtime::{Application, NodeHandle, NodeReport, Wait};
use tongban_sim::disk::SimDisk;
use tongban_sim::runtime::{SimRuntime, World};
use tongban_sim::world::federation::{self, CITIES, Federation};
use tongban_sim::world::scene::Scene;
use tongban_types::Code;
use tongban_wal::{Wal, WalConfig};

use super::{
    DINGXI, FUZHOU, NANPING, NINGDE, PUTIAN, WEINAN, application, calm_world, hand_in, has_case,
    leads_its_own, seen_at, take_in, two_cities_at_work, until,
};

fn fuzhou(scene: &Scene) -> Option<Arc<dyn NodeHandle>> {
    scene.machines[FUZHOU].handle()
}

fn report(scene: &Scene) -> Option<NodeReport> {
    fuzhou(scene).map(|node| node.report())
}

#[test]
fn what_was_taken_in_for_an_item_not_yet_in_the_catalogue_enters_the_group_with_it() {
    let scene = calm_world(11);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        until("Fuzhou's group is led", || {
            report(&scene).is_some_and(|report| report.groups[0].status.leader.is_some())
        })
        .await;

        let mut newer = Federation::draw();
        newer.item.item.version += 1;
        let application = Application {
            item: newer.item.item,
            item_file: newer.item.file,
            ..application(&scene, WEINAN, "350102199001010003")
        };
        let stored = take_in(&scene, application, b"newer item", Wait::Stored).await;

        until("the refusal is seen", || {
            report(&scene).is_some_and(|report| report.desk_refused == 1)
        })
        .await;
        let waiting = fuzhou(&scene).unwrap().stored_cases(None, 10);
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].number, stored.case);
        assert_eq!(waiting[0].refused, Some(Code::UNKNOWN_ITEM));

        // The node comes back with a newer catalogue.
        scene.machines[FUZHOU].crash(&scene.net);
        scene.start_with(FUZHOU, &newer);
        until("the desk is empty", || {
            report(&scene).is_some_and(|report| report.desk_waiting == 0)
        })
        .await;
        let case = fuzhou(&scene).unwrap().case(stored.case).unwrap();
        assert!(case.record.is_some(), "the group has it");
    });
}

#[test]
fn a_city_cut_from_another_hands_its_packets_over_through_a_partner() {
    let scene = calm_world(13);
    World::block_on(async {
        two_cities_at_work(&scene).await;
        // No voter of Nanping's group hears Fuzhou; what they send still arrives.
        for place in [NANPING, WEINAN, DINGXI] {
            let (from, to) = (&scene.machines[FUZHOU], &scene.machines[place]);
            scene.net.cut_one_way(from.node(), to.node());
        }
        let subject = "350102199001010003";
        let collected = hand_in(&scene, NANPING, subject, b"relay", Wait::Replicated).await;
        until("Nanping has the case", || {
            has_case(&scene, NANPING, collected.case)
        })
        .await;
        until("Fuzhou has the answer", || {
            seen_at(&scene, FUZHOU, federation::group(FUZHOU))
                .is_some_and(|seen| seen.unanswered == 0)
        })
        .await;
        assert!(leads_its_own(&scene, FUZHOU), "it delivered as the leader");
        let relayed = [PUTIAN, NINGDE]
            .into_iter()
            .filter_map(|place| scene.machines[place].handle())
            .map(|node| node.report().relayed)
            .sum::<u64>();
        assert!(relayed > 0, "a partner handed it on");
    });
}

/// Lets a machine that is off forget which numbers it gave: its records are older than its group's.
async fn forget_numbers(scene: &Scene, place: usize) {
    let config = WalConfig {
        segment_bytes: scene.options.segment_bytes,
        ..WalConfig::default()
    };
    let disk = scene.machines[place].disk().mount();
    let log = Wal::<SimRuntime, SimDisk>::open(disk, config)
        .await
        .unwrap();
    let reserved = log.scan(LocalTable::Counters, b"case-sequence/", 100);
    assert!(!reserved.is_empty(), "numbers were reserved");
    let forget = |(key, _)| LocalWrite {
        table: LocalTable::Counters,
        key,
        value: None,
    };
    log.write(reserved.into_iter().map(forget).collect())
        .await
        .unwrap();
}

#[test]
fn a_number_that_comes_again_gives_nobody_the_receipt_of_another() {
    let scene = calm_world(15);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let is_led = || {
            let seen = seen_at(&scene, FUZHOU, federation::group(FUZHOU));
            seen.is_some_and(|seen| seen.status.leader.is_some() && seen.time.unix_ms() > 0)
        };
        until("Fuzhou's group is at work", is_led).await;
        let subjects = ["350102199001010003", "350102199001010011"];
        let first = hand_in(&scene, WEINAN, subjects[0], b"first", Wait::Replicated).await;
        until("Fuzhou shows it", || has_case(&scene, FUZHOU, first.case)).await;
        scene.machines[FUZHOU].crash(&scene.net);
        forget_numbers(&scene, FUZHOU).await;
        scene.start(FUZHOU);
        until("Fuzhou's group is at work again", is_led).await;
        until("Fuzhou shows it again", || {
            has_case(&scene, FUZHOU, first.case)
        })
        .await;
        let second = hand_in(&scene, WEINAN, subjects[1], b"second", Wait::Replicated).await;
        assert!(!second.repeated);
        assert_ne!(second.case, first.case);
        until("both are in the group", || {
            has_case(&scene, FUZHOU, first.case) && has_case(&scene, FUZHOU, second.case)
        })
        .await;
    });
}
