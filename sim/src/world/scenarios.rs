//! Small worlds with one thing in them that once went wrong, told step by step.

use std::sync::Arc;
use std::time::Duration;

use tongban_machine::{Write, WriteSet};
use tongban_runtime::ports::{LocalLog as _, LocalTable, LocalWrite};
use tongban_runtime::seams::StateStore as _;
use tongban_runtime::{
    Application, Collected, GroupReport, NodeHandle, NodeReport, StoreView, Wait,
};
use tongban_types::{CaseNumber, Channel, Code, CommandId, Division, GroupId, HandlingMode, Role};

use tongban_wal::{Wal, WalConfig};

mod files;
mod placements;
mod set_aside;

use super::ask::ask;
use super::events::Events;
use super::federation::{self, CITIES, Federation};
use super::options::Options;
use super::paperwork::actor;
use super::scene::Scene;
use super::witness::NodeWitness;
use crate::disk::SimDisk;
use crate::runtime::{SimRuntime, Sleep, World};

/// Far beyond what any step of a calm world takes.
const STEP_LIMIT: Duration = Duration::from_mins(3);

const FUZHOU: usize = 0;
const PUTIAN: usize = 1;
const NINGDE: usize = 2;
const NANPING: usize = 3;
const WEINAN: usize = 4;
const DINGXI: usize = 5;

fn calm_world(seed: u64) -> Arc<Scene> {
    World::reset(seed);
    Scene::set(Options::calm(None), Events::new(false))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = World::now() + STEP_LIMIT;
    while !is_so() {
        assert!(World::now() < end, "not within {STEP_LIMIT:?}: {what}");
        Sleep::true_time(Duration::from_millis(100)).await;
    }
}

fn fuzhou(scene: &Scene) -> Option<Arc<dyn NodeHandle>> {
    scene.machines[FUZHOU].handle()
}

fn report(scene: &Scene) -> Option<NodeReport> {
    fuzhou(scene).map(|node| node.report())
}

/// What a machine says of a group it hosts.
fn seen_at(scene: &Scene, place: usize, group: GroupId) -> Option<GroupReport> {
    let groups = scene.machines[place].handle()?.report().groups;
    groups.into_iter().find(|seen| seen.group == group)
}

/// Whether a machine set its replica of a group aside, because it differs from the others.
fn is_aside(scene: &Scene, place: usize, group: GroupId) -> bool {
    let seen = seen_at(scene, place, group);
    seen.is_some_and(|seen| seen.diverged && seen.status.stopped)
}

/// Turns the state hash that a machine keeps of a group, as rot in its store might.
fn spoil_state_hash(scene: &Scene, place: usize, group: GroupId) {
    let store = scene.machines[place].store();
    let hash = tongban_machine::state_hash(&StoreView::new(store.clone(), group)).0;
    let pairs = store.scan(group, &[], &[u8::MAX], usize::MAX).unwrap();
    let mut writes = WriteSet::new();
    for (key, mut value) in pairs {
        if let Some(at) = value.windows(hash.len()).position(|part| part == hash) {
            value[at] ^= 1;
            writes.insert(key, Write::Put(value));
        }
    }
    assert!(!writes.is_empty(), "the hash stands in the state");
    let position = store.position(group).unwrap().unwrap();
    store.commit(group, &writes, &position).unwrap();
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
        let machine = &scene.machines[FUZHOU];
        machine.crash(&scene.net);
        let witness = NodeWitness {
            node: machine.node(),
            store: machine.store().clone(),
            applied: scene.applied.clone(),
            oracle: scene.oracle.clone(),
        };
        machine.start(&newer, &scene.options, &scene.net, Arc::new(witness));
        until("the desk is empty", || {
            report(&scene).is_some_and(|report| report.desk_waiting == 0)
        })
        .await;
        let case = fuzhou(&scene).unwrap().case(stored.case).unwrap();
        assert!(case.record.is_some(), "the group has it");
    });
}

/// Whether a place shows a case.
fn has_case(scene: &Scene, place: usize, number: CaseNumber) -> bool {
    let handle = scene.machines[place].handle();
    handle.is_some_and(|node| node.case(number).is_ok_and(|case| case.record.is_some()))
}

#[test]
fn a_city_cut_from_another_hands_its_packets_over_through_a_partner() {
    let scene = calm_world(13);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let leads_its_own = |place| {
            let seen = seen_at(&scene, place, federation::group(place));
            seen.is_some_and(|seen| seen.status.leader == Some(scene.machines[place].node()))
        };
        until("both cities lead their groups", || {
            leads_its_own(FUZHOU) && leads_its_own(NANPING)
        })
        .await;
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
        assert!(leads_its_own(FUZHOU), "it delivered as the leader");
        let relayed = [PUTIAN, NINGDE]
            .into_iter()
            .filter_map(|place| scene.machines[place].handle())
            .map(|node| node.report().relayed)
            .sum::<u64>();
        assert!(relayed > 0, "a partner handed it on");
    });
}

/// What is handed in at Fuzhou for another city, to be handed over at once.
fn application(scene: &Scene, authority: usize, subject: &str) -> Application {
    Application {
        item: scene.federation.item.item,
        item_file: scene.federation.item.file,
        mode: HandlingMode::CollectedElsewhere,
        authority_division: Division::new(CITIES[authority].0).unwrap(),
        subject: subject.to_owned(),
        form: b"{}".to_vec(),
        attachments: Vec::new(),
        channel: Channel::Window,
        hand_over: true,
    }
}

/// Takes an application in at Fuzhou; what the desk said.
async fn take_in(
    scene: &Arc<Scene>,
    application: Application,
    name: &[u8],
    wait: Wait,
) -> Collected {
    let clerk = actor(FUZHOU, "fz-001", Role::Clerk);
    let id = CommandId::derive(b"scenario", name);
    ask(scene, FUZHOU, |node| async move {
        node.collect(clerk, id, application, wait).await
    })
    .await
    .unwrap()
}

/// The same of one without files.
async fn hand_in(
    scene: &Arc<Scene>,
    authority: usize,
    subject: &str,
    name: &[u8],
    wait: Wait,
) -> Collected {
    take_in(scene, application(scene, authority, subject), name, wait).await
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
