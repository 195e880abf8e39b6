//! After the faults: every city serves again, what waits is carried out, and everything that was
//! acknowledged is looked for.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tongban_machine::{CaseRecord, recall_command};
use tongban_runtime::{StoreView, Wait};
use tongban_types::{CityCode, CommandId, GroupId, NodeId, Receipt, Role};

use super::clerks::hand_in;
use super::federation::{self, CITIES, Federation};
use super::oracle::{CarriedOut, Oracle, Taken};
use super::paperwork::{actor, application, fresh_id};
use super::scene::Scene;
use super::sight::{Sight, content_hash, index_of, states_of};
use crate::clock::true_civil_time;
use crate::invariants::nothing_lost::Histories;
use crate::invariants::replicas_equal::Content;
use crate::invariants::{
    Violation, desks_empty, documents, nothing_lost, once_only, replicas_equal, served,
};
use crate::runtime::{Owner, Sleep, World, lock};

/// Between two looks for replicas at one index.
const MEET_EVERY: Duration = Duration::from_millis(3);

/// Entries a replica of a calm world may be behind: a few reports of time.
const LAG_MAX: u64 = 20;

/// Looks before replicas of one index are given up: half a minute, in which voters report ten times.
const MEET_LOOKS_MAX: u32 = 10_000;

type Took = Arc<Mutex<Vec<(CityCode, Option<Duration>)>>>;

/// Has every city take an application in and replicate it; how long each took.
pub(crate) async fn serve_all(scene: &Arc<Scene>) -> Vec<(CityCode, Option<Duration>)> {
    let took: Took = Arc::default();
    for place in 0..CITIES.len() {
        let (scene, took) = (scene.clone(), took.clone());
        World::spawn(Owner::WORLD, async move {
            let took_here = serve_one(&scene, place).await;
            lock(&took).push((federation::city(place), took_here));
        });
    }
    while lock(&took).len() < CITIES.len() {
        Sleep::true_time(Duration::from_millis(50)).await;
    }
    let mut all = lock(&took).clone();
    all.sort_unstable();
    all
}

async fn serve_one(scene: &Arc<Scene>, place: usize) -> Option<Duration> {
    let mut dice = World::dice("service", place as u64);
    let since = World::now();
    let authority = (place + 1 + dice.index(CITIES.len() - 1)) % CITIES.len();
    let clerk = actor(place, "clerk-of-the-calm", Role::Clerk);
    let id = fresh_id(&mut dice);
    let application = application(scene, authority, &mut dice);
    while World::now().saturating_sub(since) <= served::BOUND {
        let answered = hand_in(scene, place, &clerk, id, &application, Wait::Replicated).await;
        if let Ok(collected) = answered {
            let replicated = matches!(collected.receipt, Receipt::Replicated(_));
            let taken = Taken {
                intake: federation::city(place),
                authority: federation::city(authority),
                handed_over: application.hand_over,
                replicated,
            };
            lock(&scene.oracle).on_taken(id, collected.case, taken);
            if replicated {
                return Some(World::now().saturating_sub(since));
            }
        }
        Sleep::true_time(Duration::from_millis(200)).await;
    }
    None
}

/// Whether anything still waits.
pub(crate) fn waits(scene: &Scene, sight: &Sight) -> Result<(), Violation> {
    let busy = scene.under_way.load(Ordering::Relaxed);
    if busy > 0 {
        return Err(Violation::new(
            "nothing waits",
            format!("{busy} people have no answer"),
        ));
    }
    let mut desks: Vec<(NodeId, usize)> = Vec::new();
    for machine in &scene.machines {
        let Some(node) = machine.handle() else {
            let what = format!("{} is not up", machine.node());
            return Err(Violation::new("nothing waits", what));
        };
        desks.push((machine.node(), node.report().desk_waiting));
    }
    desks_empty::check(&desks, sight)?;
    for (group, seen) in &sight.groups {
        let placed = scene.placed(*group);
        let is_placed = |node: NodeId| {
            let place = federation::place_of(node.city());
            place.is_some_and(|place| placed.contains(&place))
        };
        let replicas = seen
            .replicas
            .iter()
            .filter(|replica| is_placed(replica.node));
        let indexes: Vec<u64> = replicas.map(|replica| replica.index).collect();
        let last = indexes.iter().copied().min().unwrap_or(0);
        if indexes.len() < placed.len() || last + LAG_MAX < seen.reached {
            let what = format!("a replica of {group} is at {last} of {}", seen.reached);
            return Err(Violation::new("nothing waits", what));
        }
    }
    Ok(())
}

/// Looks for everything that was acknowledged.
pub(crate) async fn look_through(scene: &Scene) -> Result<(), Violation> {
    let sight = scene.sight();
    {
        let oracle = lock(&scene.oracle);
        once_only::check_answers(&oracle)?;
        once_only::check_decisions(&oracle, &sight)?;
        once_only::check_entered(&oracle, &sight)?;
        once_only::check_told(&oracle)?;
        count_forgotten(scene, &oracle);
        let histories = histories(scene, &oracle);
        nothing_lost::check(&oracle, &sight, &histories)?;
    }
    check_documents(scene, &sight).await?;
    for (group, _) in Federation::groups() {
        let contents = meet(scene, group, &scene.placed(group)).await;
        for content in &contents {
            World::note(
                [4, group.city().number().into(), content.index],
                &content.hash.0,
            );
        }
        replicas_equal::check(group, &contents)?;
    }
    Ok(())
}

/// Ids that were carried out and that their group has forgotten since.
fn count_forgotten(scene: &Scene, oracle: &Oracle) {
    let is_forgotten = |(id, done): &(&CommandId, &CarriedOut)| {
        let place = federation::place_of(done.group.city()).unwrap_or_default();
        let store = scene.machines[place].store().clone();
        recall_command(&StoreView::new(store, done.group), **id).is_none()
    };
    let forgotten = oracle.carried_out().iter().filter(is_forgotten).count();
    scene.events.add("id forgotten", forgotten as u64);
}

fn histories(scene: &Scene, oracle: &Oracle) -> Histories {
    let mut histories = BTreeMap::new();
    for act in oracle.acts() {
        histories.entry((act.group, act.case)).or_insert_with(|| {
            let newest = scene
                .placed(act.group)
                .into_iter()
                .map(|voter| &scene.machines[voter])
                .max_by_key(|machine| index_of(machine.store(), act.group));
            newest.map_or_else(Vec::new, |one| states_of(one.store(), act.group, act.case))
        });
    }
    histories
}

async fn check_documents(scene: &Scene, sight: &Sight) -> Result<(), Violation> {
    let now = true_civil_time();
    for (group, record) in sight.records() {
        let place = federation::place_of(group.city()).expect("groups are of the six cities");
        let text = document_at(scene, place, record).await;
        documents::check_issued(record, text.as_deref(), &scene.federation.registry, now)?;
        scene
            .events
            .add("documents verified", u64::from(text.is_some()));
    }
    Ok(())
}

/// The document of a case as the city's own node shows it, once it shows the case as it was seen: its
/// replica may be a few entries behind the one that was looked at.
async fn document_at(scene: &Scene, place: usize, record: &CaseRecord) -> Option<String> {
    for _ in 0..MEET_LOOKS_MAX {
        let node = scene.machines[place].handle()?;
        if let Ok(opened) = node.case(record.envelope.number)
            && let Some(shown) = opened.record
            && shown.version >= record.version
            && shown.document == record.document
        {
            return opened.document;
        }
        Sleep::true_time(MEET_EVERY).await;
    }
    None
}

/// Waits until the replicas of a group are at one index, and reads them whole.
async fn meet(scene: &Scene, group: GroupId, placed: &[usize]) -> Vec<Content> {
    let machines: Vec<_> = placed.iter().map(|place| &scene.machines[*place]).collect();
    for _ in 0..MEET_LOOKS_MAX {
        let first = index_of(machines[0].store(), group);
        let is_same = |place: usize| index_of(machines[place].store(), group) == first;
        if first.is_some() && (1..machines.len()).all(is_same) {
            break;
        }
        Sleep::true_time(MEET_EVERY).await;
    }
    let read = machines.into_iter().map(|machine| Content {
        node: machine.node(),
        index: index_of(machine.store(), group).unwrap_or(0),
        hash: content_hash(machine.store(), group),
    });
    read.collect()
}
