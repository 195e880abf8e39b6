//! Small worlds with one thing in them that once went wrong, told step by step.

use std::sync::Arc;
use std::time::Duration;

use tongban_runtime::{Application, NodeHandle, NodeReport, Wait};
use tongban_types::{Channel, Code, CommandId, Division, HandlingMode, Role};

use super::ask::ask;
use super::events::Events;
use super::federation::{CITIES, Federation};
use super::options::Options;
use super::paperwork::actor;
use super::scene::Scene;
use super::witness::NodeWitness;
use crate::runtime::{Sleep, World};

/// Far beyond what any step of a calm world takes.
const STEP_LIMIT: Duration = Duration::from_mins(3);

const FUZHOU: usize = 0;
const WEINAN: usize = 4;

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
            mode: HandlingMode::CollectedElsewhere,
            authority_division: Division::new(CITIES[WEINAN].0).unwrap(),
            subject: "350102199001010003".to_owned(),
            form: b"{}".to_vec(),
            channel: Channel::Window,
            hand_over: true,
        };
        let clerk = actor(FUZHOU, "fz-001", Role::Clerk);
        let id = CommandId::derive(b"scenario", b"newer item");
        let stored = ask(&scene, FUZHOU, |node| async move {
            node.collect(clerk, id, application, Wait::Stored).await
        })
        .await
        .unwrap();

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
