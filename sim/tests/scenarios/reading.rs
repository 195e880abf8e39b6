//! What a node says that its group is ahead of: reads that are to show everything acknowledged before them, acts
//! on cases it has not seen, and acts that it waits with in vain.

use std::sync::Arc;
use std::time::Duration;

use openraft_rt::AsyncRuntime as _;
use tongban_runtime::{Act, NodeError, Refusal, Tempo, Wait};
use tongban_sim::disk::DiskOptions;
use tongban_sim::runtime::{SimRuntime, Sleep, World};
use tongban_sim::world::ask::{Unanswered, ask};
use tongban_sim::world::federation::{self, CITIES};
use tongban_sim::world::scene::Scene;
use tongban_types::{Actor, CaseNumber, CaseState, CaseVersion, CommandId, PersonId, Role};

use super::{
    FUZHOU, NANPING, PUTIAN, calm_world, hand_in, has_case, leads_its_own, seen_at,
    two_cities_at_work, until,
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

/// An order of somebody of Nanping on a case as it was when it came in.
#[derive(Clone)]
struct Order {
    key: &'static [u8],
    role: Role,
    case: CaseNumber,
    act: Act,
}

impl Order {
    /// Gives it for somebody who has waited so long already.
    async fn given(self, scene: &Scene, waited: Duration) -> Result<(), Unanswered> {
        let Self {
            key,
            role,
            case,
            act,
        } = self;
        let actor = Actor {
            city: federation::city(NANPING),
            person: PersonId::new("np-001").unwrap(),
            role,
        };
        let id = CommandId::derive(key, case.to_string().as_bytes());
        let seen = CaseVersion(1);
        ask(scene, NANPING, |node| async move {
            let acted = node.act(actor, id, case, seen, act, waited).await;
            acted.map(drop)
        })
        .await
    }
}

fn asking_correction(case: CaseNumber) -> Order {
    Order {
        key: b"asking for a correction",
        role: Role::Officer,
        case,
        act: Act::AskCorrection {
            notice: "请补正".to_owned(),
        },
    }
}

async fn ask_correction(scene: &Scene, case: CaseNumber) -> Result<(), Unanswered> {
    asking_correction(case).given(scene, Duration::ZERO).await
}

async fn correct(scene: &Scene, case: CaseNumber) -> Result<(), Unanswered> {
    let correcting = Order {
        key: b"correcting",
        role: Role::Clerk,
        case,
        act: Act::Correct {
            form: b"{}".to_vec(),
            attachments: None,
        },
    };
    correcting.given(scene, Duration::ZERO).await
}

fn accepting(key: &'static [u8], case: CaseNumber) -> Order {
    Order {
        key,
        role: Role::Officer,
        case,
        act: Act::Accept,
    }
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

/// What is said of an order, for an answer of whose time only so much is left; it is said within that.
async fn said_within(scene: &Scene, left: Duration, order: Order) -> Result<(), Unanswered> {
    let waited = Tempo::default().answer_time_max().saturating_sub(left);
    let since = World::now();
    let said = order.given(scene, waited).await;
    let took = World::now().saturating_sub(since);
    assert!(took <= left + Duration::from_millis(10), "{took:?}");
    said
}

/// Catching up, the group's answer and until it is shown, each with a time of its own, were longer together
/// than anybody waits. An act gives away what it waited for before.
#[test]
fn an_act_is_answered_in_time_whatever_was_waited_for_and_says_whether_it_was_submitted() {
    let scene = calm_world(19);
    World::block_on(async {
        two_cities_at_work(&scene).await;
        let subject = "350102199001010003";
        let handed = hand_in(&scene, NANPING, subject, b"handed in", Wait::Replicated).await;
        let case = handed.case;
        until("Nanping has the case", || has_case(&scene, NANPING, case)).await;

        scene.net.isolate(federation::node(NANPING));
        let some = Duration::from_secs(3);
        let late = accepting(b"too late", case);
        let said = said_within(&scene, Duration::ZERO, late.clone()).await;
        assert_eq!(said, Err(Unanswered::Unclear(NodeError::NotCaughtUp)));
        let unseen = asking_correction(given_to_nobody(case));
        let said = said_within(&scene, some, unseen).await;
        assert_eq!(said, Err(Unanswered::Unclear(NodeError::NotCaughtUp)));
        let submitted = accepting(b"submitted", case);
        let said = said_within(&scene, some, submitted.clone()).await;
        assert_eq!(said, Err(Unanswered::Unclear(NodeError::TimedOut)));

        scene.net.calm();
        let again = async || submitted.clone().given(&scene, Duration::ZERO).await;
        assert_eq!(in_the_end(again).await, Ok(()));
        // Nothing was done of what was not submitted: it comes behind the other.
        let said = in_the_end(async || late.clone().given(&scene, Duration::ZERO).await).await;
        let refusal = match said {
            Err(Unanswered::Refused(NodeError::Refused(refusal))) => refusal,
            other => panic!("{other:?}"),
        };
        assert!(matches!(refusal, Refusal::StaleVersion { .. }), "{refusal}");
    });
}
