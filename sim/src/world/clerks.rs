//! Clerks: they take applications in, and do for applicants what applicants ask for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tongban_machine::{CaseRecord, DocumentStage, Standpoint};
use tongban_runtime::{Act, Application, Collected, NodeError, Refusal, Wait};
use tongban_types::{Actor, CaseState, CommandId, Receipt, Role};

use super::ask::{Unanswered, ask};
use super::federation::{self, CITIES};
use super::officers::{ACT_TRIES_MAX, act_on};
use super::oracle::{Asked, Taken};
use super::paperwork::{actor, application, form, fresh_id};
use super::scene::Scene;
use crate::runtime::{Dice, Sleep, World, lock};

/// Tries to hand one application in before the applicant goes home.
const COLLECT_TRIES_MAX: u32 = 6;

/// Cases of one state a clerk looks through.
const PAGE: usize = 40;

/// One clerk's day.
pub(crate) async fn work(scene: Arc<Scene>, number: u64) {
    let mut dice = World::dice("clerk", number);
    let name = format!("clerk-{number}");
    while !scene.is_closing() {
        Sleep::true_time(dice.within(&(Duration::from_millis(1)..=scene.options.rest))).await;
        let place = dice.index(CITIES.len());
        if dice.below(3) > 0 {
            let authority = draw_authority(place, &mut dice);
            let wait = if dice.coin() {
                Wait::Stored
            } else {
                Wait::Replicated
            };
            take_in(
                &scene,
                place,
                authority,
                wait,
                COLLECT_TRIES_MAX,
                &name,
                &mut dice,
            )
            .await;
        } else {
            serve_applicant(&scene, place, &name, &mut dice).await;
        }
    }
    scene.under_way.fetch_sub(1, Ordering::Relaxed);
}

/// A fifth are decided where they are handed in.
fn draw_authority(place: usize, dice: &mut Dice) -> usize {
    if dice.below(5) == 0 {
        place
    } else {
        dice.index(CITIES.len())
    }
}

/// Takes one application in, again and again under one id until it is acknowledged; whether it was.
pub(crate) async fn take_in(
    scene: &Arc<Scene>,
    place: usize,
    authority: usize,
    wait: Wait,
    tries_max: u32,
    name: &str,
    dice: &mut Dice,
) -> Option<Collected> {
    let clerk = actor(place, name, Role::Clerk);
    let id = fresh_id(dice);
    let application = application(scene, authority, dice);
    let today = scene.days_passed();
    for _ in 0..tries_max {
        match hand_in(scene, place, &clerk, id, &application, wait).await {
            Ok(collected) => {
                note_taken(scene, place, authority, id, &application, &collected);
                return Some(collected);
            }
            Err(Unanswered::Refused(error)) => {
                let what = format!("{} refused a lawful application: {error}", CITIES[place].0);
                lock(&scene.oracle).contradict(what);
                return None;
            }
            Err(Unanswered::Gone | Unanswered::Unclear(_)) => {
                scene
                    .events
                    .count("application repeated", || format!("{id:?}"));
                Sleep::true_time(dice.within(&(Duration::ZERO..=Duration::from_secs(2)))).await;
            }
        }
        if scene.days_passed() != today {
            // An id is remembered for a day: nobody repeats what was asked before.
            return None;
        }
    }
    None
}

/// One try.
pub(crate) async fn hand_in(
    scene: &Arc<Scene>,
    place: usize,
    clerk: &Actor,
    id: CommandId,
    application: &Application,
    wait: Wait,
) -> Result<Collected, Unanswered> {
    let (clerk, application) = (clerk.clone(), application.clone());
    lock(&scene.oracle).on_tried(id, federation::group(place), Asked::Application);
    ask(scene, place, |node| async move {
        node.collect(clerk, id, application, wait).await
    })
    .await
}

fn note_taken(
    scene: &Scene,
    place: usize,
    authority: usize,
    id: CommandId,
    application: &Application,
    collected: &Collected,
) {
    let taken = Taken {
        intake: federation::city(place),
        authority: federation::city(authority),
        handed_over: application.hand_over,
        replicated: matches!(collected.receipt, Receipt::Replicated(_)),
    };
    let kind = if taken.replicated {
        "taken in, replicated"
    } else {
        "taken in, stored"
    };
    scene.events.count(kind, || {
        format!("{} for {}", collected.case, taken.authority)
    });
    World::note(
        [1, u64::from(taken.replicated), 0],
        collected.case.to_string().as_bytes(),
    );
    lock(&scene.oracle).on_taken(id, collected.case, taken);
}

/// Looks for a case of this city that an applicant may want something of.
async fn serve_applicant(scene: &Arc<Scene>, place: usize, name: &str, dice: &mut Dice) {
    let states = [
        CaseState::CorrectionAsked,
        CaseState::Collected,
        CaseState::Granted,
        CaseState::Refused,
        CaseState::NotAccepted,
        CaseState::InTransit,
        CaseState::Accepted,
    ];
    let state = states[dice.index(states.len())];
    let Some(node) = scene.machines[place].handle() else {
        return;
    };
    let Ok(page) = node.cases(Some(state), None, PAGE) else {
        return;
    };
    drop(node);
    let city = federation::city(place);
    let own: Vec<CaseRecord> = page
        .cases
        .into_iter()
        .filter(|record| record.envelope.intake == city)
        .collect();
    if own.is_empty() {
        return;
    }
    let record = &own[dice.index(own.len())];
    if let Some(act) = wish(record, dice) {
        let clerk = actor(place, name, Role::Clerk);
        act_on(scene, place, &clerk, record, act, ACT_TRIES_MAX, dice).await;
    }
}

fn wish(record: &CaseRecord, dice: &mut Dice) -> Option<Act> {
    let withdraw = || Act::Withdraw {
        reason: "申请人撤回".to_owned(),
    };
    let has_document_pending = matches!(
        record.document,
        DocumentStage::Owed | DocumentStage::Prepared { .. }
    );
    match record.state {
        CaseState::CorrectionAsked if dice.below(6) == 0 => Some(withdraw()),
        CaseState::CorrectionAsked => Some(Act::Correct {
            form: form("350102199001010008", dice),
            attachments: None,
        }),
        CaseState::Collected if record.standpoint == Standpoint::Owner => Some(Act::Transfer),
        CaseState::Granted | CaseState::Refused | CaseState::NotAccepted
            if !has_document_pending =>
        {
            Some(Act::Deliver)
        }
        CaseState::InTransit | CaseState::Accepted if dice.below(3) == 0 => Some(withdraw()),
        _ => None,
    }
}

/// Whether a refusal may meet a lawful act: somebody else was quicker, or the act came late.
pub(crate) fn is_race(error: &NodeError) -> bool {
    matches!(
        error,
        NodeError::Refused(
            Refusal::StaleVersion { .. }
                | Refusal::WrongState(_)
                | Refusal::NotOwner
                | Refusal::RequestPending
                | Refusal::AlreadyDecided
                | Refusal::DocumentPending
        )
    )
}
