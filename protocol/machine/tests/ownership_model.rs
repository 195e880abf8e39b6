//! Every interleaving of the ownership protocol of decision 0001, by a model checker: one case, its
//! intake city and its authority, a line that loses, repeats and reorders parcels or is cut, one
//! withdrawal, one decision (that the case is not accepted), the packet's deadline at both cities and
//! the notice's at the authority, each by that group's own time, and one crash of a leader, which loses
//! what it had not committed, or the answer to what it had; its client sends the same act again.
//!
//! The transitions are the real rules: each step of a city is `Machine::apply` on its real state, and
//! only its result is remembered, so that equal steps are reckoned once ([`table`]). Only what lies
//! around the machine is modelled: the line (any parcel ever sent may arrive at any time, any number
//! of times, or never), the clocks, the client and the leader's crash. What the law asks of the clocks is
//! written out here by hand and not taken from the machine.

mod table;

use std::sync::{Mutex, PoisonError};

use stateright::{Checker, HasDiscoveries, Model, Property};
use tongban_machine::{CaseRecord, Request, Standpoint};
use tongban_types::{CaseNumber, CaseState, CivilDay, Code, DAY_MS, ItemTerms, Timestamp};

use crate::common::prelude::*;
use table::{ActId, CityId, Event, Outcome, ParcelId, ReplyId, Table};

const INTAKE: usize = 0;
const AUTHORITY: usize = 1;
const CODES: [u32; 2] = [FUZHOU, WEINAN];

/// Moments a group's time may come to: the start and past the first packet's deadline; at the
/// authority also past the notice's.
const MOMENTS: [usize; 2] = [2, 3];

fn moment(at: usize) -> Timestamp {
    let start = monday_morning();
    match at {
        0 => start,
        // Thursday 5 March, the first packet's three days over.
        1 => start.plus_ms(PACKET_LIFE_MS + 1),
        _ => CivilDay::from_ymd(2026, 3, 10).unwrap().first_ms(),
    }
}

/// Three days.
const PACKET_LIFE_MS: i64 = 3 * DAY_MS;

/// The case was collected on Monday 2 March; the five working days are 3, 4, 5, 6 and 9 March, so
/// silence counts from the 10th on. An authority that gets the case only then has all of the 11th.
const NOTICE_OVER: usize = 2;

/// The two cities, the road and the clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    cities: [CityId; 2],
    moments: [usize; 2],
    /// Parcels that were ever sent.
    road: u128,
    /// What a leader took from its client and has not committed.
    proposed: [Option<ActId>; 2],
    /// What a client got no answer to and sends again.
    unanswered: [Option<ActId>; 2],
    /// What was carried out last, and what was answered.
    done: [Option<Done>; 2],
    /// Whether each client may still propose its one act.
    proposals_left: [u8; 2],
    /// The moment at which the authority had the case first.
    entered_at: Option<usize>,
    repeat: Repeat,
    crashes_left: u8,
    losses_left: u8,
}

/// An act that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Done {
    act: ActId,
    at: usize,
    reply: ReplyId,
}

/// What became of an act that was carried out and sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Repeat {
    None,
    /// The same answer and nothing else.
    AnsweredAgain,
    /// Long after, when its id is forgotten: refused.
    Refused,
    /// It was done twice, or answered otherwise.
    Broken,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Any parcel ever sent arrives.
    Arrive(ParcelId),
    /// A group's time comes to the next moment.
    Tick(usize),
    /// A client proposes: the clerk a withdrawal, the authority's officers a decision.
    Propose(usize),
    /// What was proposed commits.
    Commit(usize),
    /// A leader goes down with what it had not committed, or with the answer to what it had.
    Crash(usize),
    /// A client that got no answer sends the same act again.
    Again(usize),
    /// Only in the control: the authority loses what it had committed.
    Forget,
}

#[derive(Debug)]
struct Ownership {
    case: CaseNumber,
    first: World,
    table: Mutex<Table>,
}

impl Ownership {
    /// The case was just collected and handed over. `losses` breaks the authority's log so often;
    /// `notice_days` is what the authority reckons with, rightly five.
    fn new(losses: u8, notice_days: u16) -> Self {
        let reckoned = ItemTerms {
            notice_days,
            ..migration_item()
        };
        let mut fuzhou = City::open(FUZHOU);
        let weinan = City::open_with(WEINAN, &[reckoned]);
        let case = in_transit(&mut fuzhou, &weinan);
        let mut table = Table::new([&fuzhou, &weinan].map(|city| city.machine.clone()));
        let cities = [(INTAKE, fuzhou), (AUTHORITY, weinan)]
            .map(|(side, city)| table.intern(side, case, &city, 0));
        let road = table.cities[cities[INTAKE] as usize]
            .waits
            .iter()
            .fold(0, |road, parcel| road | 1 << parcel);
        Self {
            case,
            first: World {
                cities,
                moments: [0, 0],
                road,
                proposed: [None, None],
                unanswered: [None, None],
                done: [None, None],
                proposals_left: [1, 1],
                entered_at: None,
                repeat: Repeat::None,
                crashes_left: 1,
                losses_left: losses,
            },
            table: Mutex::new(table),
        }
    }

    fn with<T>(&self, question: impl FnOnce(&mut Table) -> T) -> T {
        question(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An act commits, perhaps one that was carried out before.
    fn commit(&self, world: &World, side: usize, outcome: Outcome, next: &mut World) {
        let (Some(act), Some(reply)) = (world.proposed[side], outcome.reply) else {
            return;
        };
        let now = world.moments[side];
        let before = world.done[side].filter(|done| done.act == act);
        let is_carried_out = self.with(|table| table.replies[usize::from(reply)].is_ok());
        match before {
            Some(done) if done.at == now => {
                let is_same = outcome.city == world.cities[side] && reply == done.reply;
                next.repeat = if is_same {
                    Repeat::AnsweredAgain
                } else {
                    Repeat::Broken
                };
            }
            // A day later ids are forgotten, and the version of the case refuses it.
            Some(_) => {
                let [was, is] = [world.cities[side], outcome.city]
                    .map(|city| self.with(|table| table.cities[city as usize].record.clone()));
                next.repeat = if was == is && !is_carried_out {
                    Repeat::Refused
                } else {
                    Repeat::Broken
                };
            }
            None if is_carried_out => {
                let at = now;
                next.done[side] = Some(Done { act, at, reply });
            }
            None => {}
        }
    }

    fn records(&self, world: &World) -> [Option<CaseRecord>; 2] {
        self.with(|table| {
            world
                .cities
                .map(|city| table.cities[city as usize].record.clone())
        })
    }
}

fn acts_on(record: &CaseRecord) -> bool {
    record.standpoint == Standpoint::Owner && record.state != CaseState::InTransit
}

impl Model for Ownership {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![self.first.clone()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Step>) {
        let parcels = (0..ParcelId::MAX).take_while(|id| world.road >> id != 0);
        actions.extend(
            parcels
                .filter(|id| world.road >> id & 1 == 1)
                .map(Step::Arrive),
        );
        for side in [INTAKE, AUTHORITY] {
            if world.moments[side] + 1 < MOMENTS[side] {
                actions.push(Step::Tick(side));
            }
            let has_any = world.proposed[side].is_some() || world.done[side].is_some();
            if has_any && world.crashes_left > 0 {
                actions.push(Step::Crash(side));
            }
            match (world.proposed[side], world.unanswered[side]) {
                (Some(_), _) => actions.push(Step::Commit(side)),
                (None, Some(_)) => actions.push(Step::Again(side)),
                (None, None) if world.proposals_left[side] > 0 => {
                    actions.push(Step::Propose(side));
                }
                (None, None) => {}
            }
        }
        if world.losses_left > 0 {
            actions.push(Step::Forget);
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        let mut happens = |side: usize, event| {
            let city = world.cities[side];
            let outcome = self.with(|table| table.step(side, city, event, self.case));
            next.cities[side] = outcome.city;
            next.road |= outcome.sent;
            outcome
        };
        match step {
            Step::Arrive(parcel) => {
                let to = self.with(|table| table.parcels[usize::from(parcel)].1.to());
                let side = CODES
                    .iter()
                    .position(|code| city_code(*code) == to.city())?;
                happens(side, Event::Arrive(parcel));
            }
            Step::Tick(side) => {
                let at = world.moments[side] + 1;
                happens(side, Event::Tick(at));
                next.moments[side] = at;
            }
            Step::Propose(side) => {
                let city = world.cities[side];
                let act = self.with(|table| table.propose(side, city, self.case))?;
                next.proposed[side] = Some(act);
                next.proposals_left[side] -= 1;
            }
            Step::Commit(side) => {
                let outcome = happens(side, Event::Act(world.proposed[side]?));
                self.commit(world, side, outcome, &mut next);
                next.proposed[side] = None;
            }
            Step::Crash(side) => {
                let answered = world.done[side].map(|done| done.act);
                next.unanswered[side] = world.proposed[side].or(answered);
                next.proposed[side] = None;
                next.crashes_left -= 1;
            }
            Step::Again(side) => {
                next.proposed[side] = next.unanswered[side].take();
            }
            Step::Forget => {
                next.cities[AUTHORITY] = self.first.cities[AUTHORITY];
                next.moments[AUTHORITY] = 0;
                next.losses_left -= 1;
            }
        }
        if next.entered_at.is_none() && self.records(&next)[AUTHORITY].is_some() {
            next.entered_at = Some(next.moments[AUTHORITY]);
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER_TWO_OWNERS, |model: &Self, world: &World| {
                let records = model.records(world);
                records
                    .iter()
                    .flatten()
                    .filter(|record| acts_on(record))
                    .count()
                    <= 1
            }),
            Property::always("no case is lost", |model: &Self, world: &World| {
                let records = model.records(world);
                let is_under_way = || {
                    model.with(|table| {
                        let waits = &table.cities[world.cities[INTAKE] as usize].waits;
                        !waits.is_empty()
                    })
                };
                records.iter().flatten().any(acts_on) || is_under_way()
            }),
            Property::always(NO_DEADLINE_EARLY, |model: &Self, world: &World| {
                let [_, authority] = model.records(world);
                let accepted = authority.and_then(|record| record.accepted);
                let deemed = accepted.filter(|accepted| accepted.deemed);
                let had_it_in_time = world.entered_at.is_some_and(|at| at < NOTICE_OVER);
                deemed.is_none_or(|accepted| {
                    world.moments[AUTHORITY] >= NOTICE_OVER
                        && had_it_in_time
                        && accepted.at == monday_morning()
                }) && model.with(|table| table.never_early(world.road))
            }),
            Property::always(
                "an act sent again is done once",
                |_: &Self, world: &World| world.repeat != Repeat::Broken,
            ),
            Property::always(
                "withdrawn or decided: one wins",
                |model: &Self, world: &World| match model.records(world) {
                    [Some(intake), Some(authority)] => {
                        let ends = [intake.state, authority.state];
                        let withdrawn = ends.contains(&CaseState::Withdrawn);
                        !(withdrawn && ends.contains(&CaseState::NotAccepted))
                    }
                    _ => true,
                },
            ),
            Property::always(
                "a whole line brings every case home",
                |model: &Self, world: &World| {
                    let Some(cities) = model.with(|table| table.heal(world.cities, model.case))
                    else {
                        return false;
                    };
                    let records = model.records(&World {
                        cities,
                        ..world.clone()
                    });
                    let acting = records
                        .iter()
                        .flatten()
                        .filter(|record| acts_on(record))
                        .count();
                    let asks = |record: &CaseRecord| record.pending == Some(Request::Withdrawal);
                    acting == 1 && !records.iter().flatten().any(asks)
                },
            ),
            Property::always(
                "no withdrawal is asked of nobody",
                |model: &Self, world: &World| {
                    let [intake, _] = model.records(world);
                    let refused = intake.and_then(|record| record.request_refused);
                    refused != Some(Code::NO_SUCH_CASE)
                },
            ),
            Property::sometimes(
                "an act is sent again and answered again",
                |_: &Self, world: &World| world.repeat == Repeat::AnsweredAgain,
            ),
            Property::sometimes(
                "an act is sent again and its version refuses it",
                |_: &Self, world: &World| world.repeat == Repeat::Refused,
            ),
            Property::sometimes(
                "withdrawn at the authority",
                |model: &Self, world: &World| {
                    matches!(model.records(world), [_, Some(record)]
                    if record.state == CaseState::Withdrawn)
                },
            ),
            Property::sometimes(
                "withdrawn where it came back",
                |model: &Self, world: &World| {
                    matches!(model.records(world), [Some(record), None]
                    if record.state == CaseState::Withdrawn)
                },
            ),
            Property::sometimes(
                "decided, the withdrawal refused",
                |model: &Self, world: &World| {
                    matches!(model.records(world), [Some(intake), Some(authority)]
                    if authority.state == CaseState::NotAccepted && intake.request_refused.is_some())
                },
            ),
            Property::sometimes("accepted by the law", |model: &Self, world: &World| {
                matches!(model.records(world), [_, Some(record)]
                    if record.accepted.as_ref().is_some_and(|accepted| accepted.deemed))
            }),
            Property::sometimes(
                "sent again, then received",
                |model: &Self, world: &World| matches!(model.records(world), [Some(intake), Some(_)] if intake.transfers > 1),
            ),
        ]
    }
}

const NEVER_TWO_OWNERS: &str = "never two owners";
const NO_DEADLINE_EARLY: &str = "no deadline is early";
const NOTICE_DAYS: u16 = 5;

#[test]
fn a_case_has_one_owner_whatever_the_line_the_clocks_and_a_leader_do() {
    let checker = Ownership::new(0, NOTICE_DAYS).checker().spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 1_000, "the model explores");
}

#[test]
fn the_checker_finds_two_owners_when_an_authority_forgets_its_non_receipt() {
    assert_finds(NEVER_TWO_OWNERS, Ownership::new(1, NOTICE_DAYS));
}

#[test]
fn the_checker_finds_an_early_deadline_when_an_authority_reckons_with_fewer_days() {
    assert_finds(NO_DEADLINE_EARLY, Ownership::new(0, 2));
}

fn assert_finds(broken: &'static str, model: Ownership) {
    let found = HasDiscoveries::AllOf([broken].into());
    let checker = model.checker().finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(broken).is_some());
}
