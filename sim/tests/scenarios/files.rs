//! Files of cases: what is let go, what stays, and what is done about a node that sends something else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tongban_runtime::seams::Lane;
use tongban_runtime::{Application, NodeError, UploadId, Wait};
use tongban_sim::runtime::{Owner, Sleep, World};
use tongban_sim::world::ask::{Unanswered, ask};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_types::{Attachment, CaseNumber, Code, CommandId, Hash};

use super::{
    FUZHOU, NANPING, NINGDE, PUTIAN, WEINAN, application, calm_world, clerk, has_case, seen_at,
    take_in, until,
};

mod partners;
mod shelf;

use self::shelf::{Known, Shelf};

/// The token of whoever uploads at Fuzhou.
const OWNER: Hash = Hash([7; 32]);

/// Of several verified groups, and not of whole ones.
const FILE_BYTES: usize = 40_001;

/// A day after which uploads are over, and an hour more.
const MORE_THAN_A_DAY_MS: i64 = 25 * 3_600_000;

/// Longer than files stay for an order whose end was not learned, and than its id is remembered.
const LONGER_THAN_ORDERS_KEEP_MS: i64 = 4 * 86_400_000;

/// Nodes look once a minute for what nobody names any more.
const LONGER_THAN_BETWEEN_SWEEPS: Duration = Duration::from_secs(70);

const SUBJECT: &str = "350102199001010003";

/// A file uploaded at Fuzhou as a whole, of bytes that are all alike.
async fn upload(scene: &Scene, byte: u8) -> (UploadId, Attachment) {
    upload_at(scene, FUZHOU, byte).await
}

/// The same at any city.
async fn upload_at(scene: &Scene, place: usize, byte: u8) -> (UploadId, Attachment) {
    let bytes = Bytes::from(vec![byte; FILE_BYTES]);
    let size = bytes.len() as u64;
    let uploaded = ask(scene, place, |node| async move {
        let files = node.attachments();
        let id = files.begin_upload(OWNER, size).await?.id;
        files.append(OWNER, id, 0, bytes).await?;
        let committed = files.commit(OWNER, id).await?;
        Ok::<_, NodeError>(committed)
    });
    let uploaded = uploaded.await.unwrap();
    let blob = uploaded.blob.expect("it is whole");
    let name = format!("{byte}.bin");
    let file = Attachment::new(name, "application/octet-stream".to_owned(), size, blob);
    (uploaded.id, file.unwrap())
}

async fn cancel(scene: &Scene, upload: UploadId) {
    let cancelled = ask(scene, FUZHOU, |node| async move {
        node.attachments().cancel(OWNER, upload).await?;
        Ok::<_, NodeError>(())
    });
    cancelled.await.unwrap();
}

/// An application for another city that names a file.
fn naming(scene: &Scene, authority: usize, file: &Attachment) -> Application {
    Application {
        attachments: vec![file.clone()],
        ..application(scene, authority, SUBJECT)
    }
}

/// The case it becomes.
async fn hand_in_with(scene: &Arc<Scene>, authority: usize, file: &Attachment) -> CaseNumber {
    let application = naming(scene, authority, file);
    let collected = take_in(scene, application, b"with a file", Wait::Replicated);
    collected.await.case
}

/// The only case Fuzhou's group has.
fn only_case(scene: &Scene) -> Option<CaseNumber> {
    let page = scene.machines[FUZHOU].handle()?.cases(None, None, 1).ok()?;
    Some(page.cases.first()?.envelope.number)
}

async fn read(
    scene: &Scene,
    place: usize,
    case: CaseNumber,
    file: &Attachment,
) -> Result<Bytes, Unanswered> {
    let file = file.clone();
    ask(scene, place, |node| async move {
        let files = node.attachments();
        files.read_attachment(case, &file, 0, file.size).await
    })
    .await
}

async fn until_led(scene: &Scene, place: usize) {
    let what = format!("the group of {} is at work", CITIES[place].1);
    until(&what, || {
        let seen = seen_at(scene, place, federation::group(place));
        seen.is_some_and(|seen| seen.status.leader.is_some() && seen.time.unix_ms() > 0)
    })
    .await;
}

#[test]
fn a_file_stays_as_long_as_a_case_names_it_and_one_that_nobody_names_is_let_go() {
    let scene = calm_world(18);
    let shelf = Shelf::new(&Known::default());
    scene.machines[FUZHOU].keep_files(shelf.clone());
    World::block_on(async {
        for place in federation::voters(FUZHOU) {
            scene.start(place);
        }
        until_led(&scene, FUZHOU).await;
        let (upload_of_case, of_case) = upload(&scene, 1).await;
        let (upload_of_none, of_none) = upload(&scene, 2).await;
        let (_, of_upload) = upload(&scene, 3).await;
        let case = hand_in_with(&scene, WEINAN, &of_case).await;
        cancel(&scene, upload_of_case).await;
        cancel(&scene, upload_of_none).await;
        until("what nobody names is let go", || !shelf.holds(of_none.blob)).await;
        Sleep::true_time(LONGER_THAN_BETWEEN_SWEEPS).await;
        assert!(shelf.holds(of_case.blob));
        assert!(shelf.holds(of_upload.blob), "a case may still name it");
        scene.let_pass(MORE_THAN_A_DAY_MS);
        until("the file of an upload that is over is let go", || {
            !shelf.holds(of_upload.blob)
        })
        .await;
        Sleep::true_time(LONGER_THAN_BETWEEN_SWEEPS).await;
        let bytes = read(&scene, FUZHOU, case, &of_case).await.unwrap();
        assert_eq!(bytes, vec![1_u8; FILE_BYTES]);
    });
}

#[test]
fn the_file_of_an_order_whose_end_nobody_learned_stays_with_the_case_it_became() {
    let scene = calm_world(20);
    let shelf = Shelf::new(&Known::default());
    scene.machines[FUZHOU].keep_files(shelf.clone());
    World::block_on(async {
        for place in federation::voters(FUZHOU) {
            scene.start(place);
        }
        until_led(&scene, FUZHOU).await;
        until("Fuzhou leads its group", || {
            let seen = seen_at(&scene, FUZHOU, federation::group(FUZHOU));
            seen.is_some_and(|seen| seen.status.leader == Some(federation::node(FUZHOU)))
        })
        .await;
        let (_, file) = upload(&scene, 1).await;
        // Without a majority the order stands in Fuzhou's log alone, and its clerk waits for it.
        for partner in [PUTIAN, NINGDE] {
            scene.machines[partner].crash(&scene.net);
        }
        let application = naming(&scene, WEINAN, &file);
        let asking = scene.clone();
        World::spawn(Owner::WORLD, async move {
            let id = CommandId::derive(b"scenario", b"an end not learned");
            let asked = ask(&asking, FUZHOU, |node| async move {
                node.collect(clerk(), id, application, Wait::Replicated)
                    .await
            });
            assert_eq!(asked.await.map(drop), Err(Unanswered::Gone));
        });
        Sleep::true_time(Duration::from_secs(1)).await;
        scene.machines[FUZHOU].crash(&scene.net);
        // Of these two only Fuzhou can be elected: the other's log lacks the order.
        for place in [FUZHOU, PUTIAN] {
            scene.start(place);
        }
        until("the group has the case", || only_case(&scene).is_some()).await;
        let case = only_case(&scene).unwrap();
        Sleep::true_time(LONGER_THAN_BETWEEN_SWEEPS).await;
        scene.let_pass(LONGER_THAN_ORDERS_KEEP_MS);
        Sleep::true_time(LONGER_THAN_BETWEEN_SWEEPS).await;
        assert!(shelf.holds(file.blob));
        let bytes = read(&scene, FUZHOU, case, &file).await.unwrap();
        assert_eq!(bytes, vec![1_u8; FILE_BYTES]);
    });
}

#[test]
fn nothing_is_kept_of_what_a_liar_sends_and_the_file_comes_once_it_tells_the_truth() {
    let scene = calm_world(19);
    let known = Known::default();
    let [here, there] = [FUZHOU, NANPING].map(|place| {
        let shelf = Shelf::new(&known);
        scene.machines[place].keep_files(shelf.clone());
        shelf
    });
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        until_led(&scene, FUZHOU).await;
        until_led(&scene, NANPING).await;
        let (_, file) = upload(&scene, 1).await;
        let case = hand_in_with(&scene, NANPING, &file).await;
        until("Nanping has the case", || has_case(&scene, NANPING, case)).await;
        here.set_lying(true);
        let lied = read(&scene, NANPING, case, &file).await;
        let unreachable = Unanswered::Unclear(NodeError::FileUnreachable);
        assert_eq!(lied.unwrap_err(), unreachable);
        assert!(!there.holds(file.blob));
        let node = scene.machines[NANPING].handle().unwrap();
        let counted = node.report().refused_to_peers;
        assert!(counted.contains_key(&(Lane::File, Code::BLOB_LIED)));
        here.set_lying(false);
        let bytes = read(&scene, NANPING, case, &file).await.unwrap();
        assert_eq!(bytes, vec![1_u8; FILE_BYTES]);
        assert!(there.holds(file.blob), "it need not come again");
    });
}
