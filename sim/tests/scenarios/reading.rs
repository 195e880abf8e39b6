//! What a node says that its group is ahead of: reads that are to show everything acknowledged before them, and
//! acts on cases it has not seen.

use std::sync::Arc;
use std::time::Duration;

use openraft_rt::AsyncRuntime as _;
use tongban_runtime::{Act, NodeError, Refusal, Wait};
use tongban_sim::disk::DiskOptions;
use tongban_sim::runtime::{SimRuntime, Sleep, World};
use tongban_sim::world::ask::{Unanswered, ask};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_types::{Actor, CaseNumber, CaseState, CaseVersion, CommandId, PersonId, Role};

use super::{
    FUZHOU, NANPING, PUTIAN, calm_world, hand_in, has_case, leads_its_own, seen_at, until,
};

/// Cuts a city off from all others, for a time.
fn cut_off_for(scene: &Arc<Scene>, place: usize, time: Duration) {
    scene.net.isolate(federation::node(place));
    let scene = Arc::clone(scene);
    drop(SimRuntime::spawn(async move {
        Sleep::true_time(time).await;
        scene.net.calm();
    }));
}

async fn catch_up(scene: &Scene) -> Result<(), Unanswered> {
    ask(scene, FUZHOU, |node| async move { node.catch_up().await }).await
}

#[test]
fn a_read_waits_as_long_as_an_order_for_a_group_that_has_no_leader() {
    let scene = calm_world(18);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        let leads_its_own = || leads_its_own(&scene, FUZHOU);
        until("Fuzhou leads its group", leads_its_own).await;

        // Longer than one leader is waited for, which was all that a read had.
        cut_off_for(&scene, FUZHOU, Duration::from_secs(5));
        assert_eq!(catch_up(&scene).await, Ok(()));

        until("Fuzhou leads its group again", leads_its_own).await;
        cut_off_for(&scene, FUZHOU, Duration::from_secs(20));
        let refused = catch_up(&scene).await;
        assert_eq!(refused, Err(Unanswered::Unclear(NodeError::NoQuorum)));
    });
}

/// What is lacking is here and not at the group, which goes on without a disk that hangs.
#[test]
fn a_read_of_a_replica_that_lags_says_that_nothing_was_done() {
    let scene = calm_world(20);
    World::block_on(async {
        for place in 0..CITIES.len() {
            scene.start(place);
        }
        until("Fuzhou leads its group", || leads_its_own(&scene, FUZHOU)).await;
        let disk = scene.machines[FUZHOU].disk();
        let hangs = Duration::from_mins(1);
        disk.configure(|options| options.sync = hangs..=hangs);
        until("a partner leads it", || {
            let seen = seen_at(&scene, PUTIAN, federation::group(FUZHOU));
            let leader = seen.and_then(|seen| seen.status.leader);
            leader.is_some_and(|leader| leader != federation::node(FUZHOU))
        })
        .await;
        let refused = catch_up(&scene).await;
        assert_eq!(refused, Err(Unanswered::Unclear(NodeError::NotCaughtUp)));

        disk.configure(|options| *options = DiskOptions::default());
        let end = World::now() + Duration::from_mins(3);
        while let Err(refused) = catch_up(&scene).await {
            assert!(World::now() < end, "never caught up: {refused:?}");
            Sleep::true_time(Duration::from_secs(1)).await;
        }
    });
}

/// Has somebody of Nanping act on a case as it was when it came in.
async fn act(scene: &Scene, role: Role, case: CaseNumber, act: Act) -> Result<(), Unanswered> {
    let actor = Actor {
        city: federation::city(NANPING),
        person: PersonId::new("np-001").unwrap(),
        role,
    };
    let id = CommandId::derive(act.name().as_bytes(), case.to_string().as_bytes());
    ask(scene, NANPING, |node| async move {
        let acted = node.act(actor, id, case, CaseVersion(1), act).await;
        acted.map(drop)
    })
    .await
}

async fn ask_correction(scene: &Scene, case: CaseNumber) -> Result<(), Unanswered> {
    let notice = "请补正".to_owned();
    act(scene, Role::Officer, case, Act::AskCorrection { notice }).await
}

async fn correct(scene: &Scene, case: CaseNumber) -> Result<(), Unanswered> {
    let correction = Act::Correct {
        form: b"{}".to_vec(),
        attachments: None,
    };
    act(scene, Role::Clerk, case, correction).await
}

/// What is said in the end where nothing is clear at first.
async fn in_the_end(
    mut asked: impl AsyncFnMut() -> Result<(), Unanswered>,
) -> Result<(), Unanswered> {
    let end = World::now() + Duration::from_mins(1);
    loop {
        match asked().await {
            Err(Unanswered::Unclear(why)) => assert!(World::now() < end, "unclear: {why:?}"),
            answered => return answered,
        }
        Sleep::true_time(Duration::from_secs(1)).await;
    }
}

/// A case that came to Nanping's group while its node was off. The node is back, and reaches nobody.
async fn unseen_at_nanping(scene: &Arc<Scene>) -> CaseNumber {
    for place in 0..CITIES.len() {
        scene.start(place);
    }
    let subject = "350102199001010003";
    let hand_in = async |name| hand_in(scene, NANPING, subject, name, Wait::Replicated).await;
    until("Fuzhou leads its group", || leads_its_own(scene, FUZHOU)).await;
    let first = hand_in(b"first").await;
    // Calendar and items are there, then.
    until("Nanping is at work", || {
        has_case(scene, NANPING, first.case)
    })
    .await;
    scene.machines[NANPING].crash(&scene.net);
    let handed = hand_in(b"unseen").await;
    let was_received = || {
        let case = scene.machines[FUZHOU].handle()?.case(handed.case).ok()?;
        Some(case.record?.state == CaseState::Received)
    };
    let is_there = || was_received() == Some(true);
    until("Nanping's group has the case", is_there).await;

    scene.net.isolate(federation::node(NANPING));
    scene.start(NANPING);
    let is_back = || scene.machines[NANPING].handle().is_some();
    until("its node is back", is_back).await;
    handed.case
}

/// A number of the same day that nobody was given.
fn given_to_nobody(case: CaseNumber) -> CaseNumber {
    CaseNumber::new(federation::city(FUZHOU), case.day(), 1, 99_999).unwrap()
}

/// Seed 117 had an officer whose act was on its way when the node went down, and who was told by the
/// node that came back, before its group had heard of it, that there was no such case.
#[test]
fn that_there_is_no_such_case_is_said_only_by_a_node_that_has_caught_up() {
    let scene = calm_world(19);
    World::block_on(async {
        let case = unseen_at_nanping(&scene).await;
        let asked = ask_correction(&scene, case).await;
        assert_eq!(asked, Err(Unanswered::Unclear(NodeError::NoQuorum)));
        scene.net.calm();
        let asked = in_the_end(async || ask_correction(&scene, case).await).await;
        assert_eq!(asked, Ok(()));
        let never = given_to_nobody(case);
        let asked = ask_correction(&scene, never).await;
        let refused = NodeError::NoSuchCase(never);
        assert_eq!(asked, Err(Unanswered::Refused(refused)));
    });
}

/// A correction is held against the case it is of before the group is asked.
#[test]
fn a_correction_too_is_of_no_such_case_only_where_the_node_has_caught_up() {
    let scene = calm_world(19);
    World::block_on(async {
        let case = unseen_at_nanping(&scene).await;
        let corrected = correct(&scene, case).await;
        assert_eq!(corrected, Err(Unanswered::Unclear(NodeError::NoQuorum)));
        scene.net.calm();
        // The group knows the case: nobody asked for a correction of it.
        let refusal = Refusal::WrongState(CaseState::Received);
        let corrected = in_the_end(async || correct(&scene, case).await).await;
        assert_eq!(corrected, Err(Unanswered::Refused(refusal.into())));
        let never = given_to_nobody(case);
        let corrected = correct(&scene, never).await;
        let refused = NodeError::NoSuchCase(never);
        assert_eq!(corrected, Err(Unanswered::Refused(refused)));
    });
}
