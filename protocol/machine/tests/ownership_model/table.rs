//! Real steps of real cities, each reckoned once: states, parcels and signed acts by their place here.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_machine::{
    CaseRecord, Machine, MemoryView, ParcelFate, Refusal, Reply, ground, load_case, unanswered,
};
use tongban_types::{
    Actor, CaseNumber, CaseState, CertifiedParcels, Command, CommandBody, CommandId, Parcel,
    RequestTag, Verdict, encode, sha256, sha256_parts,
};

use super::{AUTHORITY, CODES, INTAKE, PACKET_LIFE_MS, moment};
use crate::common::prelude::*;

/// A city's state, by its place in the table.
pub(super) type CityId = u32;

/// A parcel ever sent, by its place in the table: a bit of the road.
pub(super) type ParcelId = u8;

/// An act as it was signed, by its place in the table.
pub(super) type ActId = u8;

/// What an act was answered, by its place in the table.
pub(super) type ReplyId = u8;

/// What happens to one city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Arrive(ParcelId),
    Tick(usize),
    Act(ActId),
}

/// A city after some entries.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    view: MemoryView,
    index: u64,
    pub(super) record: Option<CaseRecord>,
    /// Packets it will repeat until they are answered.
    pub(super) waits: Vec<ParcelId>,
    /// The moment its clocks have come to, as the model moved them.
    moment: usize,
}

/// What one real step of a city came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) city: CityId,
    /// Parcels it sent.
    pub(super) sent: u128,
    /// The answer to the packet that arrived, new or given before.
    answer: Option<ParcelId>,
    /// What the act was answered.
    pub(super) reply: Option<ReplyId>,
}

/// Everything reckoned so far.
#[derive(Debug)]
pub(super) struct Table {
    machines: [Arc<Machine>; 2],
    pub(super) cities: Vec<Snapshot>,
    known: BTreeMap<(usize, Vec<u8>), CityId>,
    steps: BTreeMap<(usize, CityId, Event), Outcome>,
    pub(super) parcels: Vec<(CertifiedParcels, Parcel)>,
    /// The moment of its sender at which each parcel was said.
    said_at: Vec<usize>,
    pub(super) replies: Vec<Result<Reply, Refusal>>,
    parcel_ids: BTreeMap<Vec<u8>, ParcelId>,
    acts: Vec<Vec<u8>>,
    proposals: BTreeMap<(usize, CityId), Option<ActId>>,
    healed: BTreeMap<[CityId; 2], [CityId; 2]>,
}

impl Table {
    pub(super) fn new(machines: [Arc<Machine>; 2]) -> Self {
        Self {
            machines,
            cities: Vec::new(),
            known: BTreeMap::new(),
            steps: BTreeMap::new(),
            parcels: Vec::new(),
            said_at: Vec::new(),
            replies: Vec::new(),
            parcel_ids: BTreeMap::new(),
            acts: Vec::new(),
            proposals: BTreeMap::new(),
            healed: BTreeMap::new(),
        }
    }

    fn resume(&self, side: usize, city: CityId) -> City {
        let Snapshot { view, index, .. } = &self.cities[city as usize];
        City::resume(
            CODES[side],
            self.machines[side].clone(),
            view.clone(),
            *index,
        )
    }

    /// The place of a city's state. What only orders the log and never decides about a case (state
    /// hashes, the order of forgetting, the voters' single reports, which are alike here) does not tell
    /// two states apart.
    pub(super) fn intern(
        &mut self,
        side: usize,
        case: CaseNumber,
        city: &City,
        moment: usize,
    ) -> CityId {
        let told: BTreeMap<_, _> = city
            .view
            .0
            .iter()
            .filter(|(key, _)| !b"HPKRvy".contains(&key[0]))
            .collect();
        let told = encode_pairs(&told);
        if let Some(known) = self.known.get(&(side, told.clone())) {
            return *known;
        }
        let id = CityId::try_from(self.cities.len()).unwrap();
        let waits = unanswered(&city.view, None, 100);
        let waits = waits
            .iter()
            .map(|packet| self.intern_parcel(city, packet.position, moment))
            .collect();
        self.cities.push(Snapshot {
            view: city.view.clone(),
            index: city.index,
            record: load_case(&city.view, case),
            waits,
            moment,
        });
        self.known.insert((side, told), id);
        id
    }

    fn intern_parcel(&mut self, city: &City, position: u64, moment: usize) -> ParcelId {
        let bytes = encode(&parcel_at(city, position));
        let (parcels, said_at) = (&mut self.parcels, &mut self.said_at);
        *self.parcel_ids.entry(bytes).or_insert_with(|| {
            parcels.push((certify(city, position), parcel_at(city, position)));
            said_at.push(moment);
            let id = ParcelId::try_from(parcels.len() - 1).unwrap();
            assert!(
                u32::from(id) < u128::BITS,
                "the road has a bit for each parcel"
            );
            id
        })
    }

    fn intern_reply(&mut self, reply: Result<Reply, Refusal>) -> ReplyId {
        let known = self.replies.iter().position(|known| *known == reply);
        let at = known.unwrap_or_else(|| {
            self.replies.push(reply);
            self.replies.len() - 1
        });
        ReplyId::try_from(at).unwrap()
    }

    /// The real step of a city.
    pub(super) fn step(
        &mut self,
        side: usize,
        from: CityId,
        event: Event,
        case: CaseNumber,
    ) -> Outcome {
        if let Some(known) = self.steps.get(&(side, from, event)) {
            return *known;
        }
        let mut city = self.resume(side, from);
        let sent_before = ground(&city.view).outbox_next;
        let (mut answer, mut reply) = (None, None);
        let mut moment_now = self.cities[from as usize].moment;
        match event {
            Event::Arrive(parcel) => {
                let (certified, _) = &self.parcels[usize::from(parcel)];
                answer = match enter_parcel(&mut city, certified) {
                    Ok(ParcelFate::Answered { answer } | ParcelFate::AnsweredBefore { answer }) => {
                        Some(answer)
                    }
                    _ => None,
                };
            }
            Event::Tick(at) => {
                moment_now = at;
                city.set_time(moment(at));
            }
            Event::Act(act) => {
                let applied = city.apply(self.acts[usize::from(act)].clone());
                reply = applied.results.into_iter().next();
            }
        }
        let sent = sent_before..ground(&city.view).outbox_next;
        let outcome = Outcome {
            city: self.intern(side, case, &city, moment_now),
            sent: sent.fold(0, |sent, position| {
                sent | 1 << self.intern_parcel(&city, position, moment_now)
            }),
            answer: answer.map(|position| self.intern_parcel(&city, position, moment_now)),
            reply: reply.map(|reply| self.intern_reply(reply)),
        };
        self.steps.insert((side, from, event), outcome);
        outcome
    }

    /// What a client proposes, seeing its city's state; nothing if there is nothing to do.
    pub(super) fn propose(&mut self, side: usize, city: CityId, case: CaseNumber) -> Option<ActId> {
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
    pub(super) fn heal(&mut self, cities: [CityId; 2], case: CaseNumber) -> Option<[CityId; 2]> {
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

    /// Whether every non-receipt on the road was said when its packet's three days were over, and no
    /// packet was taken in later, by the moments at which the model let both be said.
    pub(super) fn never_early(&self, road: u128) -> bool {
        let on_road = (0..self.parcels.len()).filter(|id| road >> id & 1 == 1);
        let mut answers = on_road.filter_map(|id| match &self.parcels[id].1 {
            Parcel::Answer(answer) => Some((answer, self.said_at[id])),
            Parcel::Packet(_) => None,
        });
        answers.all(|(answer, answered_at)| {
            let packet = self
                .parcels
                .iter()
                .position(|(certified, _)| sha256(&certified.parcels[0].bytes) == answer.packet);
            let sent_at = self.said_at[packet.expect("an answer is to a packet")];
            let over = moment(sent_at).plus_ms(PACKET_LIFE_MS);
            (answer.verdict == Verdict::NotReceived) == (moment(answered_at) > over)
        })
    }
}

/// A command whose id follows from what it says: sent again, it is the same.
fn named_by_content(city: &City, actor: Actor, body: CommandBody) -> Command {
    let mut command = Command {
        group: city.group(),
        id: CommandId::derive(b"", b""),
        at: city.time(),
        actor,
        request: RequestTag::default(),
        body,
    };
    command.id = CommandId::derive(b"model", &encode(&command));
    command
}

fn encode_pairs(pairs: &BTreeMap<&Vec<u8>, &Vec<u8>>) -> Vec<u8> {
    let parts = pairs
        .iter()
        .flat_map(|(key, value)| [key.as_slice(), value.as_slice()]);
    let parts: Vec<&[u8]> = parts.collect();
    sha256_parts(&parts).0.to_vec()
}
