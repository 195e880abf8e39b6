//! Every interleaving of the ownership protocol of decision 0001, by a model checker: one case, its
//! intake city and its authority, a line that loses, repeats and reorders parcels or is cut, one
//! withdrawal, one decision (that the case is not accepted), the packet's and the notice's deadline at either city's own time, and
//! one crash of a leader that loses what it had not committed, after which its client sends again.
//!
//! The transitions are the real rules: each step of a city is `Machine::apply` on its real state, and
//! only its result is remembered, so that equal steps are reckoned once. Only what lies around the
//! machine is modelled: the line (any parcel ever sent may arrive at any time, any number of times,
//! or never), the clocks (each group's own, three moments), the client and the leader's crash.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use stateright::{Checker, HasDiscoveries, Model, Property};
use tongban_machine::{
    CaseRecord, Machine, MemoryView, ParcelFate, Request, Standpoint, ground, load_case, unanswered,
};
use tongban_types::{
    CaseNumber, CaseState, CertifiedParcels, CivilDay, Command, CommandBody, CommandId,
    Entry, Parcel, Timestamp, Verdict, encode, limits, sha256,
};

use crate::common::prelude::*;

const INTAKE: usize = 0;
const AUTHORITY: usize = 1;
const CODES: [u32; 2] = [FUZHOU, WEINAN];

/// A city's state, by its place in the table.
type CityId = u32;

/// A parcel ever sent, by its place in the table: a bit of the road.
type ParcelId = u8;

/// An act as it was signed, by its place in the table.
type ActId = u8;

/// Moments a group's time may come to: the start and past the first packet's deadline; at the
/// authority also past the notice's.
const MOMENTS: [usize; 2] = [2, 3];

fn moment(at: usize) -> Timestamp {
    let start = monday_morning();
    match at {
        0 => start,
        1 => start.plus_ms(limits::PACKET_LIFE_MS + 1),
        _ => CivilDay::from_ymd(2026, 3, 10).unwrap().first_ms(),
    }
}

/// The two cities, the road and the clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    cities: [CityId; 2],
    moments: [usize; 2],
    /// Parcels that were ever sent.
    road: u128,
    /// What a leader took from its client and has not committed.
    proposed: [Option<ActId>; 2],
    /// How often each client may still propose its one act.
    proposals_left: [u8; 2],
    crashes_left: u8,
    losses_left: u8,
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
    /// A leader goes down with what it had not committed.
    Crash(usize),
    /// Only in the control: the authority loses what it had committed.
    Forget,
}

/// What happens to one city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    Arrive(ParcelId),
    Tick(usize),
    Act(ActId),
}

/// A city after some entries.
#[derive(Clone, Debug)]
struct Snapshot {
    view: MemoryView,
    index: u64,
    record: Option<CaseRecord>,
    /// Packets it will repeat until they are answered.
    waits: Vec<ParcelId>,
}

/// What one real step of a city came to.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    city: CityId,
    /// Parcels it sent.
    sent: u128,
    /// The answer to the packet that arrived, new or given before.
    answer: Option<ParcelId>,
}

/// Everything reckoned so far.
#[derive(Debug)]
struct Table {
    machines: [Arc<Machine>; 2],
    cities: Vec<Snapshot>,
    known: HashMap<(usize, Vec<u8>), CityId>,
    steps: HashMap<(usize, CityId, Event), Outcome>,
    parcels: Vec<(CertifiedParcels, Parcel)>,
    parcel_ids: HashMap<Vec<u8>, ParcelId>,
    acts: Vec<Vec<u8>>,
    proposals: HashMap<(usize, CityId), Option<ActId>>,
    healed: HashMap<[CityId; 2], [CityId; 2]>,
}

#[derive(Debug)]
struct Ownership {
    case: CaseNumber,
    first: World,
    table: Mutex<Table>,
}

impl Ownership {
    /// The case was just collected and handed over. `losses` breaks the authority's log so often.
    fn new(losses: u8) -> Self {
        let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
        let case = in_transit(&mut fuzhou, &weinan);
        let mut table = Table::new([&fuzhou, &weinan].map(|city| city.machine.clone()));
        let cities = [(INTAKE, fuzhou), (AUTHORITY, weinan)]
            .map(|(side, city)| table.intern(side, case, &city));
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
                proposals_left: [1, 1],
                crashes_left: 1,
                losses_left: losses,
            },
            table: Mutex::new(table),
        }
    }

    fn with<T>(&self, question: impl FnOnce(&mut Table) -> T) -> T {
        question(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn records(&self, world: &World) -> [Option<CaseRecord>; 2] {
        self.with(|table| world.cities.map(|city| table.cities[city as usize].record.clone()))
    }
}

impl Table {
    fn new(machines: [Arc<Machine>; 2]) -> Self {
        Self {
            machines,
            cities: Vec::new(),
            known: HashMap::new(),
            steps: HashMap::new(),
            parcels: Vec::new(),
            parcel_ids: HashMap::new(),
            acts: Vec::new(),
            proposals: HashMap::new(),
            healed: HashMap::new(),
        }
    }

    fn resume(&self, side: usize, city: CityId) -> City {
        let Snapshot { view, index, .. } = &self.cities[city as usize];
        City::resume(CODES[side], self.machines[side].clone(), view.clone(), *index)
    }

    /// The place of a city's state. What only orders the log and never decides about a case (state
    /// hashes, the order of forgetting) does not tell two states apart.
    fn intern(&mut self, side: usize, case: CaseNumber, city: &City) -> CityId {
        let told: BTreeMap<_, _> = city
            .view
            .0
            .iter()
            .filter(|(key, _)| !b"HPKRy".contains(&key[0]))
            .collect();
        let told = encode_pairs(&told);
        if let Some(known) = self.known.get(&(side, told.clone())) {
            return *known;
        }
        let id = CityId::try_from(self.cities.len()).unwrap();
        let waits = unanswered(&city.view, None, 100);
        let waits = waits
            .iter()
            .map(|packet| self.intern_parcel(city, packet.position))
            .collect();
        self.cities.push(Snapshot {
            view: city.view.clone(),
            index: city.index,
            record: load_case(&city.view, case),
            waits,
        });
        self.known.insert((side, told), id);
        id
    }

    fn intern_parcel(&mut self, city: &City, position: u64) -> ParcelId {
        let bytes = encode(&parcel_at(city, position));
        let parcels = &mut self.parcels;
        *self.parcel_ids.entry(bytes).or_insert_with(|| {
            parcels.push((certify(city, position), parcel_at(city, position)));
            let id = ParcelId::try_from(parcels.len() - 1).unwrap();
            assert!(u32::from(id) < u128::BITS, "the road has a bit for each parcel");
            id
        })
    }

    /// The real step of a city.
    fn step(&mut self, side: usize, from: CityId, event: Event, case: CaseNumber) -> Outcome {
        if let Some(known) = self.steps.get(&(side, from, event)) {
            return *known;
        }
        let mut city = self.resume(side, from);
        let sent_before = ground(&city.view).outbox_next;
        let mut answer = None;
        match event {
            Event::Arrive(parcel) => {
                let (certified, _) = &self.parcels[usize::from(parcel)];
                answer = match enter_parcel(&mut city, certified) {
                    Ok(
                        ParcelFate::Answered { answer } | ParcelFate::AnsweredBefore { answer },
                    ) => Some(answer),
                    _ => None,
                };
            }
            Event::Tick(at) => city.set_time(moment(at)),
            Event::Act(act) => {
                city.apply(self.acts[usize::from(act)].clone());
            }
        }
        let sent = sent_before..ground(&city.view).outbox_next;
        let outcome = Outcome {
            city: self.intern(side, case, &city),
            sent: sent.fold(0, |sent, position| {
                sent | 1 << self.intern_parcel(&city, position)
            }),
            answer: answer.map(|position| self.intern_parcel(&city, position)),
        };
        self.steps.insert((side, from, event), outcome);
        outcome
    }

    /// What a client proposes, seeing its city's state; nothing if there is nothing to do.
    fn propose(&mut self, side: usize, city: CityId, case: CaseNumber) -> Option<ActId> {
        if let Some(known) = self.proposals.get(&(side, city)) {
            return *known;
        }
        let snapshot = &self.cities[city as usize];
        let city_now = self.resume(side, city);
        let record = snapshot.record.as_ref();
        let bodies = match (side, record.map(|record| (record.state, record.pending))) {
            (INTAKE, Some((state, None))) if !state.is_decided() => {
                vec![(clerk(FUZHOU), withdraw(&city_now, case))]
            }
            (AUTHORITY, Some((CaseState::Received, _))) => {
                let officer = officer(WEINAN, REVIEWER);
                vec![(officer, refuse_to_accept(&city_now, case))]
            }
            _ => Vec::new(),
        };
        let act = (!bodies.is_empty()).then(|| {
            let commands: Vec<Command> = bodies
                .into_iter()
                .map(|(actor, body)| named_by_content(&city_now, actor, body))
                .collect();
            let key = command_key(node_of(CODES[side], 1));
            let bytes = batch(city_now.group(), key, &commands);
            let known = self.acts.iter().position(|act| *act == bytes);
            let at = known.unwrap_or_else(|| {
                self.acts.push(bytes);
                self.acts.len() - 1
            });
            ActId::try_from(at).unwrap()
        });
        self.proposals.insert((side, city), act);
        act
    }

    /// The line is whole again and every packet is repeated until it is answered; nothing if one
    /// never is.
    fn heal(&mut self, cities: [CityId; 2], case: CaseNumber) -> Option<[CityId; 2]> {
        if let Some(known) = self.healed.get(&cities) {
            return Some(*known);
        }
        let mut now = cities;
        for _ in 0..100 {
            let waits = [INTAKE, AUTHORITY].map(|side| {
                let waits = &self.cities[now[side] as usize].waits;
                waits.first().map(|parcel| (side, *parcel))
            });
            let Some((side, packet)) = waits.into_iter().flatten().next() else {
                self.healed.insert(cities, now);
                return Some(now);
            };
            let other = 1 - side;
            let arrived = self.step(other, now[other], Event::Arrive(packet), case);
            now[other] = arrived.city;
            let answer = arrived.answer?;
            now[side] = self.step(side, now[side], Event::Arrive(answer), case).city;
        }
        None
    }
}

/// A command whose id follows from what it says: sent again, it is the same.
fn named_by_content(city: &City, actor: tongban_types::Actor, body: CommandBody) -> Command {
    let mut command = Command {
        group: city.group(),
        id: CommandId::derive(b"", b""),
        at: city.time(),
        actor,
        body,
    };
    command.id = CommandId::derive(b"model", &encode(&command));
    command
}

fn encode_pairs(pairs: &BTreeMap<&Vec<u8>, &Vec<u8>>) -> Vec<u8> {
    let parts = pairs.iter().flat_map(|(key, value)| [key.as_slice(), value.as_slice()]);
    let parts: Vec<&[u8]> = parts.collect();
    tongban_types::sha256_parts(&parts).0.to_vec()
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
            match world.proposed[side] {
                Some(_) => {
                    actions.push(Step::Commit(side));
                    if world.crashes_left > 0 {
                        actions.push(Step::Crash(side));
                    }
                }
                None if world.proposals_left[side] > 0 => actions.push(Step::Propose(side)),
                None => {}
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
        };
        match step {
            Step::Arrive(parcel) => {
                let to = self.with(|table| table.parcels[usize::from(parcel)].1.to());
                let side = CODES.iter().position(|code| city_code(*code) == to.city())?;
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
                happens(side, Event::Act(world.proposed[side]?));
                next.proposed[side] = None;
            }
            Step::Crash(side) => {
                next.proposed[side] = None;
                next.proposals_left[side] += 1;
                next.crashes_left -= 1;
            }
            Step::Forget => {
                next.cities[AUTHORITY] = self.first.cities[AUTHORITY];
                next.moments[AUTHORITY] = 0;
                next.losses_left -= 1;
            }
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER_TWO_OWNERS, |model: &Self, world: &World| {
                let records = model.records(world);
                records.iter().flatten().filter(|record| acts_on(record)).count() <= 1
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
            Property::always("no deadline is early", |model: &Self, world: &World| {
                let [_, authority] = model.records(world);
                let accepted = authority.and_then(|record| record.accepted);
                let deemed = accepted.filter(|accepted| accepted.deemed);
                let now = moment(world.moments[AUTHORITY]);
                deemed.is_none_or(|accepted| now > accepted.at)
                    && model.with(|table| table.never_early(world.road))
            }),
            Property::always("withdrawn or decided: one wins", |model: &Self, world: &World| {
                match model.records(world) {
                    [Some(intake), Some(authority)] => {
                        let ends = [intake.state, authority.state];
                        let withdrawn = ends.contains(&CaseState::Withdrawn);
                        !(withdrawn && ends.contains(&CaseState::NotAccepted))
                    }
                    _ => true,
                }
            }),
            Property::always("a whole line brings every case home", |model: &Self, world: &World| {
                let Some(cities) = model.with(|table| table.heal(world.cities, model.case)) else {
                    return false;
                };
                let records = model.records(&World { cities, ..world.clone() });
                let acting = records.iter().flatten().filter(|record| acts_on(record)).count();
                let asks = |record: &CaseRecord| record.pending == Some(Request::Withdrawal);
                acting == 1 && !records.iter().flatten().any(asks)
            }),
            Property::sometimes("withdrawn at the authority", |model: &Self, world: &World| {
                matches!(model.records(world), [_, Some(record)]
                    if record.state == CaseState::Withdrawn)
            }),
            Property::sometimes("withdrawn where it came back", |model: &Self, world: &World| {
                matches!(model.records(world), [Some(record), None]
                    if record.state == CaseState::Withdrawn)
            }),
            Property::sometimes("decided, the withdrawal refused", |model: &Self, world: &World| {
                matches!(model.records(world), [Some(intake), Some(authority)]
                    if authority.state == CaseState::NotAccepted && intake.request_refused.is_some())
            }),
            Property::sometimes("accepted by the law", |model: &Self, world: &World| {
                matches!(model.records(world), [_, Some(record)]
                    if record.accepted.as_ref().is_some_and(|accepted| accepted.deemed))
            }),
            Property::sometimes("sent again, then received", |model: &Self, world: &World| {
                matches!(model.records(world), [Some(intake), Some(_)] if intake.transfers > 1)
            }),
        ]
    }
}

const NEVER_TWO_OWNERS: &str = "never two owners";

impl Table {
    /// Whether every non-receipt on the road was said past its packet's deadline.
    fn never_early(&self, road: u128) -> bool {
        let on_road = (0..).zip(&self.parcels).filter(|(id, _)| road >> id & 1 == 1);
        on_road.map(|(_, (_, parcel))| parcel).all(|parcel| {
            let Parcel::Answer(answer) = parcel else {
                return true;
            };
            let packet = self.parcels.iter().find_map(|(certified, parcel)| match parcel {
                Parcel::Packet(packet) if sha256(&certified.parcels[0].bytes) == answer.packet => {
                    Some(packet)
                }
                _ => None,
            });
            let deadline = packet.expect("an answer is to a packet").deadline;
            (answer.verdict == Verdict::NotReceived) == (answer.at > deadline)
        })
    }
}

#[test]
fn a_case_has_one_owner_whatever_the_line_the_clocks_and_a_leader_do() {
    let checker = Ownership::new(0).checker().spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 1_000, "the model explores");
}

#[test]
fn the_checker_finds_two_owners_when_an_authority_forgets_its_non_receipt() {
    let found = HasDiscoveries::AllOf([NEVER_TWO_OWNERS].into());
    let checker = Ownership::new(1).checker().finish_when(found).spawn_bfs().join();
    assert!(checker.discovery(NEVER_TWO_OWNERS).is_some());
}
