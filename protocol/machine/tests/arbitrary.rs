//! Arbitrary logs: any order, right or wrong, by anybody, with parcels lost, repeated, reordered or
//! forged. A step is a few dice; what they mean depends on the world they fall in, so that most
//! steps do something.

use proptest::prelude::*;
use tongban_machine::{CheckedEntry, MemoryView, ParcelFate, Refusal, Reply, Standpoint, ground, load_case};
use tongban_types::{
    Actor, CaseNumber, CaseState, CertifiedParcels, Command, CommandBody, DAY_MS, Decision, Entry,
    Hash, OnCase, Packet, PacketBody, Parcel, SealedUse, Standing, Timestamp, decode,
    encode, limits,
};

use crate::common::prelude::*;

/// The cities of an arbitrary world: two that share cases, and a third that mostly looks on.
pub(crate) const TOWNS: [u32; 3] = [FUZHOU, WEINAN, PUTIAN];

/// Cases a world begins by itself: few, so that each comes far.
const CASES_MAX: usize = 5;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A city's node submits a batch.
    Batch(u8, Vec<Dice>),
    /// Any parcel ever sent arrives, perhaps again, perhaps early.
    Arrive(u16),
    /// All that waits between two cities is carried, in order, with its answers.
    Carry(u8, u8),
    /// It arrives at the wrong city.
    Stray(u16, u8),
    /// Time goes on in all cities, by hours.
    Hours(u8),
    /// The third voter of a city says anything.
    Lie(u8, i64),
    /// Bytes that are no entry.
    Noise(u8, Vec<u8>),
    /// A majority of a city's voters certifies what its log never held.
    Forge(u8, u8, Dice),
}

/// What an order, or a forged packet, is made of.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    kind: u8,
    case: u8,
    actor: u8,
    luck: u8,
    size: u8,
    usage: u8,
    at: i64,
}

fn dice() -> impl Strategy<Value = Dice> {
    let at = prop_oneof![8 => Just(0), 1 => -40_000..40_000_i64, 1 => any::<i64>()];
    (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), at).prop_map(
        |(kind, case, actor, luck, size, usage, at)| Dice {
            kind,
            case,
            actor,
            luck,
            size,
            usage,
            at,
        },
    )
}

/// Steps of a federation in which no majority of voters lies.
pub(crate) fn honest_steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (any::<u8>(), prop::collection::vec(dice(), 1..4))
            .prop_map(|(town, batch)| Step::Batch(town, batch)),
        8 => any::<u16>().prop_map(Step::Arrive),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(from, to)| Step::Carry(from, to)),
        1 => (any::<u16>(), any::<u8>()).prop_map(|(parcel, town)| Step::Stray(parcel, town)),
        2 => any::<u8>().prop_map(Step::Hours),
        1 => (any::<u8>(), any::<i64>()).prop_map(|(town, at)| Step::Lie(town, at)),
        1 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..80))
            .prop_map(|(town, bytes)| Step::Noise(town, bytes)),
    ];
    prop::collection::vec(step, count)
}

/// Steps in which whole groups lie too.
pub(crate) fn lying_steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let forge = (any::<u8>(), any::<u8>(), dice()).prop_map(|(a, b, dice)| Step::Forge(a, b, dice));
    let honest = honest_steps(1).prop_map(|mut steps| steps.remove(0));
    prop::collection::vec(prop_oneof![honest, forge], count)
}

/// Some cities, their cases and everything that was ever sent.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) towns: Vec<City>,
    pub(crate) cases: Vec<CaseNumber>,
    road: Vec<CertifiedParcels>,
    harvested: Vec<u64>,
}

impl World {
    pub(crate) fn open() -> Self {
        let towns: Vec<City> = TOWNS.into_iter().map(City::open).collect();
        Self {
            harvested: vec![0; towns.len()],
            towns,
            cases: Vec::new(),
            road: Vec::new(),
        }
    }

    /// Makes one thing happen; what is refused must leave nothing.
    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Batch(town, batch) => self.submit(usize::from(*town), batch),
            Step::Arrive(at) => {
                if let Some(parcel) = self.parcel(*at) {
                    let to = addressee(&parcel);
                    let town = self.towns.iter().position(|town| town.group() == to);
                    self.enter(town.unwrap_or(0), encode(&Entry::Parcels(parcel)));
                }
            }
            Step::Carry(from, to) => {
                let [from, to] = [from, to].map(|town| usize::from(*town) % TOWNS.len());
                if let Ok([from, to]) = self.towns.get_disjoint_mut([from, to]) {
                    carry(from, to);
                }
            }
            Step::Stray(at, town) => {
                if let Some(parcel) = self.parcel(*at) {
                    self.enter(usize::from(*town), encode(&Entry::Parcels(parcel)));
                }
            }
            Step::Hours(hours) => {
                let ms = i64::from(*hours) * 3_600_000 / 4;
                self.towns.iter_mut().for_each(|town| town.pass_ms(ms));
            }
            Step::Lie(town, at) => {
                let town = self.town(*town);
                let liar = voters_of(town.code)[2];
                let report = town.report_of(liar, Timestamp::from_unix_ms(*at));
                town.report(&report);
            }
            Step::Noise(town, bytes) => self.enter(usize::from(*town), bytes.clone()),
            Step::Forge(from, to, dice) => self.forge(*from, *to, dice),
        }
        self.harvest();
    }

    fn town(&mut self, town: u8) -> &mut City {
        let at = usize::from(town) % TOWNS.len();
        &mut self.towns[at]
    }

    fn parcel(&self, at: u16) -> Option<CertifiedParcels> {
        let back = match at % 4 {
            0 => usize::from(at) % self.road.len().max(1),
            _ => usize::from(at) % 8,
        };
        self.road.iter().rev().nth(back).cloned()
    }

    /// Applies an entry and compares what a wholly refused one left with what any entry leaves.
    fn enter(&mut self, town: usize, bytes: Vec<u8>) {
        let at = town % TOWNS.len();
        let town = &mut self.towns[at];
        let before = town.view.clone();
        let results = town.apply(bytes).results;
        let nothing = |result: &Result<Reply, Refusal>| {
            result.is_err() || *result == Ok(Reply::Parcel(ParcelFate::SettledBefore))
        };
        if results.iter().all(nothing) {
            let noise = CheckedEntry::check(town.group(), b"noise".to_vec());
            let fired = town.machine.apply(&before, town.index, &noise);
            let mut expected = before;
            expected.commit(&fired.writes);
            assert_eq!(but_hash(&town.view), but_hash(&expected), "{results:?} left something");
        }
    }

    /// Whatever the outboxes hold that was not yet seen goes on the road, for ever.
    fn harvest(&mut self) {
        for (town, harvested) in self.towns.iter().zip(&mut self.harvested) {
            let end = ground(&town.view).outbox_next;
            for position in *harvested..end {
                self.road.push(certify(town, position));
            }
            *harvested = end;
        }
    }

    fn submit(&mut self, town: usize, batch: &[Dice]) {
        let at = town % TOWNS.len();
        let commands: Vec<Command> = batch.iter().map(|dice| self.command(at, dice)).collect();
        let town = &self.towns[at];
        let key = command_key(node_of(town.code, 1));
        let bytes = crate::common::city::batch(town.group(), key, &commands);
        self.enter(at, bytes);
    }

    fn command(&mut self, at: usize, dice: &Dice) -> Command {
        let body = self.body(at, dice);
        let town = &mut self.towns[at];
        let code = town.code;
        let right = match &body {
            CommandBody::Collect(_)
            | CommandBody::Transfer(_)
            | CommandBody::Correct(_)
            | CommandBody::Deliver(_)
            | CommandBody::Withdraw(_) => clerk(code),
            CommandBody::Decide(_) => officer(code, CHECKER),
            CommandBody::AskCorrection(_)
            | CommandBody::Accept(_)
            | CommandBody::RefuseToAccept(_)
            | CommandBody::Review(_) => officer(code, REVIEWER),
            CommandBody::InstallItem(_)
            | CommandBody::InstallCalendar(_)
            | CommandBody::TakeLease(_)
            | CommandBody::PrepareDocument(_)
            | CommandBody::IssueDocument(_) => system(code),
        };
        let actor = match dice.actor % 24 {
            0 => clerk(code),
            1 => officer(code, REVIEWER),
            2 => clerk(TOWNS[usize::from(dice.luck) % TOWNS.len()]),
            _ => right,
        };
        let mut command = town.command(&actor, body);
        command.at = match &command.body {
            CommandBody::Collect(order) if dice.luck % 8 > 0 => order.envelope.collected_at,
            _ => command.at.plus_ms(dice.at),
        };
        if dice.luck == 255 {
            command.id = tongban_types::CommandId(Hash([dice.case; 32]));
        }
        command
    }

    /// Any order: every variant there is, mostly on a case there is, at the version it has.
    fn body(&mut self, at: usize, dice: &Dice) -> CommandBody {
        let other = TOWNS[usize::from(dice.actor) % TOWNS.len()];
        let begins = if self.cases.len() < CASES_MAX { 2 } else { 0 };
        if dice.kind % 24 < begins || self.cases.is_empty() {
            return self.collecting(at, other, dice);
        }
        let case = self.cases[usize::from(dice.case) % self.cases.len()];
        let town = &self.towns[at];
        let Some(record) = load_case(&town.view, case) else {
            let expected = tongban_types::CaseVersion(u32::from(dice.luck));
            return CommandBody::Accept(OnCase { case, expected });
        };
        let lease = ground(&town.view).lease_number;
        let mut body = match dice.kind % 24 {
            2 => transfer(town, case),
            3 => ask_correction(town, case),
            4 => correct(town, case),
            5 => accept(town, case),
            6 => refuse_to_accept(town, case),
            7 => review(town, case),
            8 => decide(town, case, Decision::Grant),
            9 => decide(town, case, Decision::Refuse),
            10 => deliver(town, case),
            11 if dice.luck % 4 == 0 => withdraw(town, case),
            12 => take_lease(town.code),
            13 => prepare(town, case, lease),
            14 => issue(town, case, lease),
            15 if dice.luck % 2 == 0 => CommandBody::InstallItem(local_item()),
            15 => CommandBody::InstallCalendar(Federation::get().calendar.clone()),
            _ => likely(town, record.state, case, lease),
        };
        let any_text = dice.text();
        match &mut body {
            CommandBody::AskCorrection(order) if dice.luck % 8 == 0 => order.notice = any_text,
            CommandBody::Review(order) if dice.luck % 8 == 0 => order.opinion = any_text,
            CommandBody::Withdraw(order) | CommandBody::RefuseToAccept(order)
                if dice.luck % 8 == 0 =>
            {
                order.reason = any_text;
            }
            CommandBody::Correct(order) if dice.luck % 8 == 0 => order.form = any_text,
            CommandBody::IssueDocument(order) if dice.luck % 8 == 0 => order.document = any_text,
            CommandBody::Accept(on) if dice.luck % 8 == 0 => on.expected = on.expected.next(),
            _ => {}
        }
        body
    }

    fn collecting(&mut self, at: usize, authority: u32, dice: &Dice) -> CommandBody {
        let town = &mut self.towns[at];
        let item = if dice.case % 2 == 0 { local_item() } else { migration_item() };
        let days = i64::from(dice.size % 16) * i64::from(dice.luck % 4 == 1);
        let when = town.time().plus_ms(-days * DAY_MS);
        let mut order = application_for(town, authority, &item, when);
        order.hand_over = dice.luck % 2 == 0;
        match dice.usage {
            0 => order.envelope.authority = city_code(DINGXI),
            1 => order.envelope.item.version = 2,
            2 => order.envelope.intake = city_code(authority),
            3 => order.form = dice.text(),
            _ => {}
        }
        self.cases.push(order.envelope.number);
        CommandBody::Collect(Box::new(order))
    }

    fn forge(&mut self, from: u8, to: u8, dice: &Dice) {
        let from = usize::from(from) % TOWNS.len();
        let to = usize::from(to) % TOWNS.len();
        let number = match self.cases.len() {
            0 => return,
            len => self.cases[usize::from(dice.case) % len],
        };
        let (sender, receiver) = (&self.towns[from], &self.towns[to]);
        let next = tongban_machine::receive_position(&receiver.view, sender.group(), number);
        let packet = Packet {
            from: sender.group(),
            to: receiver.group(),
            case: number,
            sequence: next.saturating_sub(u32::from(dice.luck % 8 == 0)),
            deadline: receiver.time().plus_ms(i64::from(dice.luck) * 1_000 - 5_000),
            body: self.lie(from, to, number, dice),
        };
        let parcel = forged(sender, &[Parcel::Packet(Box::new(packet))]);
        self.enter(to, encode(&Entry::Parcels(parcel)));
    }

    fn lie(&self, from: usize, to: usize, number: CaseNumber, dice: &Dice) -> PacketBody {
        let people = [clerk(TOWNS[from]), officer(TOWNS[to], CHECKER), system(WEINAN)];
        let actor: Actor = people[usize::from(dice.actor) % people.len()].clone();
        let at = Timestamp::from_unix_ms(dice.at);
        let state = CaseState::ALL[usize::from(dice.size) % CaseState::ALL.len()];
        match dice.kind % 6 {
            0 => PacketBody::Correction {
                form: dice.text(),
                form_hash: Hash([dice.luck; 32]),
                at,
                actor,
            },
            1 => PacketBody::Withdrawal {
                reason: dice.text(),
                at,
                actor,
            },
            2 => PacketBody::Delivery { at, actor },
            3 => {
                let record = self.towns.iter().find_map(|town| load_case(&town.view, number));
                match record {
                    Some(record) => PacketBody::Transfer {
                        envelope: record.envelope,
                        form: dice.text(),
                    },
                    None => PacketBody::Delivery { at, actor },
                }
            }
            _ => PacketBody::Standing(Box::new(Standing {
                state,
                at,
                actor,
                deemed: dice.luck % 2 == 0,
                promise_due: None,
                statutory_due: None,
                words: (dice.luck % 3 == 0).then(|| dice.text()),
                document: (dice.luck % 5 == 0).then(|| tongban_types::IssuedDocument {
                    document: dice.text(),
                    hash: Hash([2; 32]),
                }),
            })),
        }
    }

    /// At any moment a case has one owner that acts, or is in transit between two.
    pub(crate) fn assert_one_owner(&self) {
        for case in &self.cases {
            let records = self.towns.iter().filter_map(|town| load_case(&town.view, *case));
            let owners: Vec<_> = records
                .filter(|record| record.standpoint == Standpoint::Owner)
                .map(|record| record.state)
                .collect();
            let acting = owners.iter().filter(|state| **state != CaseState::InTransit).count();
            assert!(acting <= 1, "{case} has {acting} owners");
            let is_known = self.towns.iter().any(|town| load_case(&town.view, *case).is_some());
            assert!(!is_known || !owners.is_empty(), "{case} has no owner");
        }
    }
}

/// What would bring a case one step on.
fn likely(town: &City, state: CaseState, case: CaseNumber, lease: u64) -> CommandBody {
    match state {
        CaseState::Collected | CaseState::InTransit => transfer(town, case),
        CaseState::Received | CaseState::Corrected => accept(town, case),
        CaseState::CorrectionAsked => correct(town, case),
        CaseState::Accepted => review(town, case),
        CaseState::InReview => decide(town, case, Decision::Grant),
        CaseState::Granted => prepare(town, case, lease),
        _ => deliver(town, case),
    }
}

impl Dice {
    /// A sealed text of any use, small, at its bound or beyond.
    fn text(&self) -> tongban_types::Sealed {
        let usage = match self.usage % 8 {
            0 => SealedUse::Form,
            1 => SealedUse::Notice,
            2 => SealedUse::SigningInput,
            3 => SealedUse::Document,
            _ => SealedUse::Reason,
        };
        let size = match self.size % 8 {
            0 => limits::TEXT_BYTES_MAX + limits::SEAL_BYTES,
            1 => limits::TEXT_BYTES_MAX + limits::SEAL_BYTES + 1,
            2 => limits::FORM_BYTES_MAX + limits::SEAL_BYTES,
            3 => limits::COMMAND_BYTES_MAX - 400,
            _ => usize::from(self.luck),
        };
        tongban_types::Sealed {
            ciphertext: vec![self.luck; size],
            ..sealed(usage, "")
        }
    }
}

fn addressee(parcel: &CertifiedParcels) -> tongban_types::GroupId {
    let parcel: Parcel = decode(&parcel.parcels[0].bytes).expect("we made it");
    parcel.to()
}

/// Everything stored but the chained hash.
fn but_hash(view: &MemoryView) -> Vec<(&Vec<u8>, &Vec<u8>)> {
    view.0.iter().filter(|(key, _)| key.as_slice() != b"H").collect()
}
