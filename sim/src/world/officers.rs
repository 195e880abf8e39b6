//! Officers: they accept, ask for corrections, refuse, review and decide what is theirs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tongban_machine::{CaseRecord, Standpoint};
use tongban_runtime::Act;
use tongban_types::{Actor, CaseState, Decision, Role};

use super::ask::{Unanswered, ask};
use super::clerks::is_race;
use super::federation::{self, CITIES};
use super::oracle::{ActTaken, Asked};
use super::paperwork::{actor, fresh_id};
use super::scene::Scene;
use crate::runtime::{Dice, Sleep, World, lock};

/// Tries of one act under one id.
pub(crate) const ACT_TRIES_MAX: u32 = 3;

/// Cases of one state an officer looks through.
const PAGE: usize = 40;

/// One officer's day.
pub(crate) async fn work(scene: Arc<Scene>, number: u64) {
    let mut dice = World::dice("officer", number);
    let name = format!("officer-{number}");
    while !scene.is_closing() {
        let half = scene.options.rest / 2;
        Sleep::true_time(dice.within(&(Duration::from_millis(1)..=half))).await;
        let place = dice.index(CITIES.len());
        if let Some(record) = next_case(&scene, place, &mut dice)
            && let Some(act) = draw_act(&record, &name, &mut dice)
        {
            let officer = actor(place, &name, Role::Officer);
            act_on(
                &scene,
                place,
                &officer,
                &record,
                act,
                ACT_TRIES_MAX,
                &mut dice,
            )
            .await;
        }
    }
    scene.under_way.fetch_sub(1, Ordering::Relaxed);
}

fn next_case(scene: &Scene, place: usize, dice: &mut Dice) -> Option<CaseRecord> {
    let states = [
        CaseState::Received,
        CaseState::Corrected,
        CaseState::Accepted,
        CaseState::InReview,
    ];
    let node = scene.machines[place].handle()?;
    let turn = dice.index(states.len());
    let city = federation::city(place);
    for step in 0..states.len() {
        let state = states[(turn + step) % states.len()];
        let page = node.cases(Some(state), None, PAGE).ok()?;
        let is_ours = |record: &CaseRecord| {
            record.envelope.authority == city && record.standpoint == Standpoint::Owner
        };
        let ours: Vec<CaseRecord> = page.cases.into_iter().filter(is_ours).collect();
        if !ours.is_empty() {
            return ours.get(dice.index(ours.len())).cloned();
        }
    }
    None
}

fn draw_act(record: &CaseRecord, name: &str, dice: &mut Dice) -> Option<Act> {
    let text = |words: &str| words.to_owned();
    Some(match record.state {
        CaseState::Received => match dice.below(10) {
            0..6 => Act::Accept,
            6..9 if record.noticed_at.is_none() => Act::AskCorrection {
                notice: text("请补正"),
            },
            _ => Act::RefuseToAccept {
                reason: text("不属于本机关职权范围"),
            },
        },
        CaseState::Corrected => Act::Accept,
        CaseState::Accepted => {
            let recommend = if dice.below(5) > 0 {
                Decision::Grant
            } else {
                Decision::Refuse
            };
            Act::Review {
                recommend,
                opinion: text("材料齐全"),
            }
        }
        CaseState::InReview => {
            let reviewer = record
                .review
                .as_ref()
                .map(|review| review.by.person.as_str());
            if reviewer == Some(name) {
                return None;
            }
            let decision = if dice.below(4) > 0 {
                Decision::Grant
            } else {
                Decision::Refuse
            };
            let reason = (decision == Decision::Refuse).then(|| text("不符合条件"));
            Act::Decide { decision, reason }
        }
        _ => return None,
    })
}

/// Acts on a case, again under the same id where the answer is unclear.
pub(crate) async fn act_on(
    scene: &Arc<Scene>,
    place: usize,
    who: &Actor,
    record: &CaseRecord,
    act: Act,
    tries_max: u32,
    dice: &mut Dice,
) {
    let (case, version) = (record.envelope.number, record.version);
    let id = fresh_id(dice);
    let decision = match &act {
        Act::Decide { decision, .. } => Some(*decision),
        _ => None,
    };
    let (group, today) = (federation::group(place), scene.days_passed());
    for tried in 0..tries_max {
        lock(&scene.oracle).on_tried(id, group, Asked::Act);
        let (actor, order) = (who.clone(), act.clone());
        let asked = ask(scene, place, |node| async move {
            let waited = Duration::ZERO;
            node.act(actor, id, case, version, order, waited).await
        });
        match asked.await {
            Ok(acted) => {
                scene
                    .events
                    .count(act.name(), || format!("{case} is {}", acted.state));
                World::note(
                    [2, u64::from(acted.version.0), 0],
                    case.to_string().as_bytes(),
                );
                lock(&scene.oracle).on_act(ActTaken {
                    id,
                    case,
                    group,
                    state: acted.state,
                    version: acted.version,
                    decision,
                });
                return;
            }
            Err(Unanswered::Refused(error)) => {
                let kind = if tried > 0 {
                    "act refused when repeated"
                } else {
                    "act refused"
                };
                scene
                    .events
                    .count(kind, || format!("{} on {case}: {error}", act.name()));
                // An id is remembered for a day: the repeat of what was asked before is a new order.
                if scene.days_passed() == today {
                    let what = format!("{} on {case}: {error}", act.name());
                    lock(&scene.oracle).on_refused(id, what);
                }
                if !is_race(&error) {
                    let what = format!("{} on {case} was refused: {error}", act.name());
                    lock(&scene.oracle).contradict(what);
                }
                return;
            }
            Err(Unanswered::Gone | Unanswered::Unclear(_)) => {
                scene
                    .events
                    .count("act repeated", || format!("{} on {case}", act.name()));
                Sleep::true_time(dice.within(&(Duration::ZERO..=Duration::from_secs(1)))).await;
            }
        }
        if scene.days_passed() != today {
            return;
        }
    }
}
