//! Partner cities that are no help: one that lists what it does not have, and one that does not answer.

use std::sync::Arc;
use std::time::Duration;

use tongban_runtime::{NodeError, Wait};
use tongban_sim::runtime::{Owner, Sleep, World};
use tongban_sim::world::ask::{Unanswered, ask};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_types::{Actor, Attachment, CaseNumber, CommandId};

use super::shelf::{Known, Shelf};
use super::{
    FILE_BYTES, FUZHOU, NANPING, NINGDE, calm_world, clerk, has_case, naming, read, until,
    until_led, upload_at,
};

/// Machines of these cities keep files. All cities are at work.
async fn at_work<const N: usize>(scene: &Arc<Scene>, places: [usize; N]) -> [Arc<Shelf>; N] {
    let known = Known::default();
    let shelves = places.map(|place| {
        let shelf = Shelf::new(&known);
        scene.machines[place].keep_files(shelf.clone());
        shelf
    });
    for place in 0..CITIES.len() {
        scene.start(place);
    }
    for place in places {
        until_led(scene, place).await;
    }
    shelves
}

/// A case that a city hands in for Nanping with a file, once Nanping has it.
async fn hand_in_at(
    scene: &Arc<Scene>,
    place: usize,
    file: &Attachment,
    name: &[u8],
) -> CaseNumber {
    let application = naming(scene, NANPING, file);
    let clerk = Actor {
        city: federation::city(place),
        ..clerk()
    };
    let id = CommandId::derive(b"scenario", name);
    let collected = ask(scene, place, |node| async move {
        node.collect(clerk, id, application, Wait::Replicated).await
    });
    let case = collected.await.unwrap().case;
    until("Nanping has the case", || has_case(scene, NANPING, case)).await;
    case
}

#[test]
fn a_city_that_lists_a_file_it_only_heard_of_is_not_given_it() {
    let scene = calm_world(21);
    World::block_on(async {
        let [fuzhou, _, nanping] = at_work(&scene, [FUZHOU, NINGDE, NANPING]).await;
        let (_, file) = upload_at(&scene, NINGDE, 1).await;
        let honest = hand_in_at(&scene, NINGDE, &file, b"honest").await;
        fuzhou.claim(&file);
        let lying = hand_in_at(&scene, FUZHOU, &file, b"lying").await;
        let unreachable = Unanswered::Unclear(NodeError::FileUnreachable);
        // An officer opens the liar's file, which notes that its case names it, and then the true one.
        let listed = read(&scene, NANPING, lying, &file).await;
        assert_eq!(listed.unwrap_err(), unreachable);
        let bytes = read(&scene, NANPING, honest, &file).await.unwrap();
        assert_eq!(bytes, vec![1_u8; FILE_BYTES]);
        assert!(nanping.holds(file.blob));
        let fetched = read(&scene, FUZHOU, lying, &file).await;
        assert_eq!(fetched.unwrap_err(), unreachable);
        assert!(!fuzhou.holds(file.blob));
    });
}

#[test]
fn a_city_that_sends_nothing_leaves_room_for_the_files_of_others() {
    let scene = calm_world(22);
    World::block_on(async {
        let [fuzhou, ..] = at_work(&scene, [FUZHOU, NINGDE, NANPING]).await;
        let names: [&[u8]; 4] = [b"first", b"second", b"third", b"fourth"];
        for (byte, name) in (1..).zip(names) {
            let (_, file) = upload_at(&scene, FUZHOU, byte).await;
            let case = hand_in_at(&scene, FUZHOU, &file, name).await;
            fuzhou.fall_silent();
            let asking = scene.clone();
            World::spawn(Owner::WORLD, async move {
                let waited = read(&asking, NANPING, case, &file).await;
                assert!(waited.is_err(), "it is silent");
            });
        }
        // Whoever asks is on the way by then.
        Sleep::true_time(Duration::from_secs(1)).await;
        let (_, file) = upload_at(&scene, NINGDE, 5).await;
        let case = hand_in_at(&scene, NINGDE, &file, b"of another city").await;
        let bytes = read(&scene, NANPING, case, &file).await.unwrap();
        assert_eq!(bytes, vec![5_u8; FILE_BYTES]);
    });
}
