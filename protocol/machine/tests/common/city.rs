//! One city's group: its log so far and the state it led to. Everything goes in as bytes, signed as
//! the protocol demands, and the invariants are checked after every entry.

use std::sync::Arc;

use tongban_machine::{
    CaseRecord, CheckedEntry, Comparison, EntryReply, Machine, MemoryView, Movement, Refusal,
    Reply, ground, last_hash_point, load_case, movements, state_hash,
};
use tongban_trust::SigningKey;
use tongban_types::{
    Actor, BatchHead, CaseNumber, CaseState, Command, CommandBatch, CommandBody, CommandId, Entry,
    GroupId, Hash, ItemTerms, NodeId, PlacementOrder, Purpose, RequestTag, Timestamp, VoterReport,
    encode, sha256,
};

use super::acts::{local_item, migration_item, operator};
use super::federation::{Federation, city_code, monday_morning, node_of, voters_of};
use super::invariants::{check_entry, check_view};
use super::keys::{command_key, governance_key, voter_key};

/// A group, alone in its own world.
#[derive(Debug)]
pub(crate) struct City {
    /// Its code.
    pub(crate) code: u32,
    /// Its machine.
    pub(crate) machine: Arc<Machine>,
    /// Its state.
    pub(crate) view: MemoryView,
    /// Its log, from where this world begins.
    pub(crate) log: Vec<Vec<u8>>,
    /// The index of its last entry.
    pub(crate) index: u64,
    acts: u64,
    pub(crate) collected: u32,
}

/// What one entry came to.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The replies.
    pub(crate) results: Vec<Result<Reply, Refusal>>,
    /// What a report in it says of the state.
    pub(crate) comparison: Comparison,
}

impl City {
    /// A group with an empty log.
    pub(crate) fn empty(code: u32) -> Self {
        let machine = Machine::new(GroupId(city_code(code)), Federation::get().genesis);
        Self::resume(code, Arc::new(machine), MemoryView::default(), 0)
    }

    /// A group as an earlier world left it, with a machine that knows its registry already.
    pub(crate) fn resume(code: u32, machine: Arc<Machine>, view: MemoryView, index: u64) -> Self {
        Self {
            code,
            machine,
            view,
            log: Vec::new(),
            index,
            acts: 0,
            collected: 0,
        }
    }

    /// A group that has its registry, calendar and catalogue, on a Monday morning.
    pub(crate) fn open(code: u32) -> Self {
        Self::open_with(code, &[migration_item(), local_item()])
    }

    /// The same with a catalogue of its own.
    pub(crate) fn open_with(code: u32, items: &[ItemTerms]) -> Self {
        let mut city = Self::empty(code);
        city.enter_registry(Federation::get().file.clone()).unwrap();
        city.install(items);
        city.set_time(monday_morning());
        city
    }

    /// The calendar and some items.
    pub(crate) fn install(&mut self, items: &[ItemTerms]) {
        let calendar = Federation::get().calendar.clone();
        let items = items.iter().cloned().map(CommandBody::InstallItem);
        for body in std::iter::once(CommandBody::InstallCalendar(calendar)).chain(items) {
            self.act(&operator(self.code), body).unwrap();
        }
    }

    /// Its group.
    pub(crate) fn group(&self) -> GroupId {
        self.machine.group()
    }

    /// Group time.
    pub(crate) fn time(&self) -> Timestamp {
        ground(&self.view).time
    }

    /// The chained hash of everything so far.
    pub(crate) fn hash(&self) -> Hash {
        state_hash(&self.view)
    }

    /// A case it keeps.
    pub(crate) fn case(&self, number: CaseNumber) -> CaseRecord {
        load_case(&self.view, number).expect("the case is here")
    }

    /// The state of a case it keeps.
    pub(crate) fn state(&self, number: CaseNumber) -> CaseState {
        self.case(number).state
    }

    /// The steps of a case.
    pub(crate) fn steps(&self, number: CaseNumber) -> Vec<Movement> {
        movements(&self.view, number, 1_000)
    }

    /// Applies one entry, whatever its bytes, and checks every invariant.
    pub(crate) fn apply(&mut self, bytes: Vec<u8>) -> Applied {
        self.index += 1;
        let entry = CheckedEntry::check(self.group(), bytes.clone());
        let before = self.view.clone();
        let applied = self.machine.apply(&before, self.index, &entry);
        self.view.commit(&applied.writes);
        self.log.push(bytes);
        check_entry(&before, &applied, &self.view);
        check_view(&self.view, self.group());
        let EntryReply { results } = applied.reply;
        Applied {
            results,
            comparison: applied.comparison,
        }
    }

    /// Applies an entry with a single result.
    pub(crate) fn enter(&mut self, entry: &Entry) -> Result<Reply, Refusal> {
        let mut results = self.apply(encode(entry)).results;
        assert_eq!(results.len(), 1, "one result for the whole entry");
        results.remove(0)
    }

    /// Enters a registry file.
    pub(crate) fn enter_registry(&mut self, file: Vec<u8>) -> Result<Reply, Refusal> {
        self.enter(&Entry::Registry(file))
    }

    /// Enters an order of placement, signed by the governance key of its city.
    pub(crate) fn place(&mut self, order: &PlacementOrder) -> Result<Reply, Refusal> {
        self.enter(&signed_placement(order))
    }

    /// A command of this city, done now, under an id of its own.
    pub(crate) fn command(&mut self, actor: &Actor, body: CommandBody) -> Command {
        self.acts += 1;
        Command {
            group: self.group(),
            id: CommandId::derive(b"tests", &self.acts.to_be_bytes()),
            at: self.time(),
            actor: actor.clone(),
            request: RequestTag(sha256(&self.acts.to_be_bytes())),
            body,
        }
    }

    /// Submits commands as one batch signed by the city's node.
    pub(crate) fn submit(&mut self, commands: &[Command]) -> Vec<Result<Reply, Refusal>> {
        let key = command_key(node_of(self.code, 1));
        self.apply(batch(self.group(), key, commands)).results
    }

    /// Does one thing.
    pub(crate) fn act(&mut self, actor: &Actor, body: CommandBody) -> Result<Reply, Refusal> {
        let command = self.command(actor, body);
        self.submit(&[command]).remove(0)
    }

    /// A voter's signed report of its time and of the last state hash it knows.
    pub(crate) fn report_of(&self, voter: NodeId, time: Timestamp) -> VoterReport {
        let (index, state) = last_hash_point(&self.view).unwrap_or_default();
        VoterReport {
            group: self.group(),
            voter,
            time,
            index,
            state,
        }
    }

    /// Enters a report signed by its own voter.
    pub(crate) fn report(&mut self, report: &VoterReport) -> Applied {
        self.report_signed_by(report, voter_key(report.voter))
    }

    /// Enters a report signed by any key.
    pub(crate) fn report_signed_by(&mut self, report: &VoterReport, key: &SigningKey) -> Applied {
        let signed = key.sign(Purpose::VoterReport, encode(report));
        self.apply(encode(&Entry::Report(signed)))
    }

    /// A majority of the voters' hosts say what time it is.
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        for voter in &voters_of(self.code)[..2] {
            let applied = self.report(&self.report_of(*voter, time));
            assert_eq!(applied.results, [Ok(Reply::Done)]);
            assert_eq!(applied.comparison.alarm(), None);
        }
    }

    /// These voters say what time it is.
    pub(crate) fn set_time_by(&mut self, voters: &[NodeId], time: Timestamp) {
        for voter in voters {
            let applied = self.report(&self.report_of(*voter, time));
            assert_eq!(applied.results, [Ok(Reply::Done)]);
        }
    }

    /// Time goes on.
    pub(crate) fn pass_ms(&mut self, ms: i64) {
        self.set_time(self.time().plus_ms(ms));
    }
}

/// The bytes of a batch signed by a key.
pub(crate) fn batch(group: GroupId, key: &SigningKey, commands: &[Command]) -> Vec<u8> {
    let commands: Vec<Vec<u8>> = commands.iter().map(encode).collect();
    let head = BatchHead::of(group, &commands).signed_bytes();
    let signed = key.sign(Purpose::CommandBatch, head);
    encode(&Entry::Commands(CommandBatch {
        signer: signed.signer,
        signature: signed.signature,
        commands,
    }))
}

/// The order of a version that leaves a city's group as it began.
pub(crate) fn placement(city: u32, version: u64) -> PlacementOrder {
    PlacementOrder {
        group: GroupId(city_code(city)),
        version,
        voters: voters_of(city).to_vec(),
        learners: Vec::new(),
        reason: "演练".to_owned(),
    }
}

/// An order, signed as it must be.
pub(crate) fn signed_placement(order: &PlacementOrder) -> Entry {
    let key = governance_key(order.group.city());
    Entry::Placement(key.sign(Purpose::PlacementOrder, encode(order)))
}
