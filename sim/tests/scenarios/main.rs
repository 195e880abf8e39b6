//! Small worlds with one thing in them that once went wrong, told step by step.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod certifying;
mod differing;
mod files;
mod handed_in;
mod placements;
mod reading;
mod set_aside;

use std::sync::Arc;
use std::time::Duration;

use tongban_machine::WriteSet;
use tongban_runtime::seams::{Pair, StateStore as _};
use tongban_runtime::{Application, Collected, GroupReport, Wait};
use tongban_sim::runtime::{Sleep, World};
use tongban_sim::world::ask::ask;
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_sim::world::{Events, Options};
use tongban_types::{
    Actor, CaseNumber, Channel, CommandId, Division, GroupId, HandlingMode, PersonId, Role,
};

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

/// What a machine says of a group it hosts.
fn seen_at(scene: &Scene, place: usize, group: GroupId) -> Option<GroupReport> {
    let groups = scene.machines[place].handle()?.report().groups;
    groups.into_iter().find(|seen| seen.group == group)
}

/// Whether a city's own node leads its group, by its own word.
fn leads_its_own(scene: &Scene, place: usize) -> bool {
    let seen = seen_at(scene, place, federation::group(place));
    seen.is_some_and(|seen| seen.status.leader == Some(federation::node(place)))
}

/// Starts all machines, until Fuzhou and Nanping lead their groups themselves.
async fn two_cities_at_work(scene: &Arc<Scene>) {
    for place in 0..CITIES.len() {
        scene.start(place);
    }
    until("both cities lead their groups", || {
        leads_its_own(scene, FUZHOU) && leads_its_own(scene, NANPING)
    })
    .await;
}

/// All that a machine has stored of a group.
fn stored_pairs(scene: &Scene, place: usize, group: GroupId) -> Vec<Pair> {
    let store = scene.machines[place].store();
    store.scan(group, &[], &[u8::MAX], usize::MAX).unwrap()
}

/// Writes into what a machine has stored of a group what no entry of its log did, as rot might.
fn spoil(scene: &Scene, place: usize, group: GroupId, writes: &WriteSet) {
    let store = scene.machines[place].store();
    let position = store.position(group).unwrap().unwrap();
    store.commit(group, writes, &position).unwrap();
}

/// Whether a place shows a case.
fn has_case(scene: &Scene, place: usize, number: CaseNumber) -> bool {
    let handle = scene.machines[place].handle();
    handle.is_some_and(|node| node.case(number).is_ok_and(|case| case.record.is_some()))
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

/// Who takes it in.
fn clerk() -> Actor {
    Actor {
        city: federation::city(FUZHOU),
        person: PersonId::new("fz-001").unwrap(),
        role: Role::Clerk,
    }
}

/// Takes an application in at Fuzhou; what the desk said.
async fn take_in(
    scene: &Arc<Scene>,
    application: Application,
    name: &[u8],
    wait: Wait,
) -> Collected {
    let id = CommandId::derive(b"scenario", name);
    ask(scene, FUZHOU, |node| async move {
        node.collect(clerk(), id, application, wait).await
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
