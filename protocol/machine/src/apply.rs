//! Applying one log entry: every command and parcel by itself, then what the entry as a whole gives
//! rise to: deadlines that group time has passed, the state hash.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use tongban_trust::{Registry, RegistryFile};
use tongban_types::{
    Calendar, CommandId, GroupId, Hash, KeyRole, NodeId, PublicKey, VoterReport, limits,
    sha256_parts,
};

use crate::certificates::Certificates;
use crate::checked::{CheckedBody, CheckedEntry};
use crate::clock;
use crate::context::Context;
use crate::dues;
use crate::handlers::{
    check_commander, check_proof, on_command, on_parcels, on_placement, on_registries,
};
use crate::keyspace::{self, range_of};
use crate::memory;
use crate::placement::{Placement, ordered_placement};
use crate::query::registry_bytes;
use crate::record::Ground;
use crate::refusal::Refusal;
use crate::reply::{EntryReply, Reply};
use crate::view::{Draft, View, Write, WriteSet, load};

/// Kind and version stand in front of an entry's tag.
const RECORD_HEAD_BYTES: usize = 4;

/// The state machine of one group. It holds no state: only who it is, whom it believes first, and
/// the parsed form of what the view last showed, and which certificates held.
#[derive(Debug)]
pub struct Machine {
    group: GroupId,
    genesis: Hash,
    parsed: Mutex<Option<Arc<Registry>>>,
    calendar: Mutex<Option<(u32, Arc<Calendar>)>>,
    certificates: Certificates,
}

/// What applying an entry came to.
#[derive(Debug)]
pub struct Applied {
    /// What to write, with the entry's index, in one atomic write.
    pub writes: WriteSet,
    /// What to answer.
    pub reply: EntryReply,
    /// What a voter's report in it says of this state.
    pub comparison: Comparison,
}

/// What a voter's report says of the state it is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing: there was no report, it was refused, or its index is not among those kept.
    Nothing,
    /// This voter had the same state there.
    Same(NodeId),
    /// A voter had another state there.
    Other(Alarm),
}

impl Comparison {
    /// The difference, if there is one.
    pub fn alarm(self) -> Option<Alarm> {
        match self {
            Self::Nothing | Self::Same(_) => None,
            Self::Other(alarm) => Some(alarm),
        }
    }
}

/// A replica reported a state other than ours at the same index: one of us is broken or lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Who reported.
    pub voter: NodeId,
    /// At which index.
    pub index: u64,
    /// What it reported.
    pub theirs: Hash,
    /// What this replica had.
    pub ours: Hash,
}

impl Machine {
    /// The machine of a group; `genesis` is the hash of the governance keys that may sign its first
    /// registry ([`tongban_trust::governance_hash`]).
    pub fn new(group: GroupId, genesis: Hash) -> Self {
        Self {
            group,
            genesis,
            parsed: Mutex::new(None),
            calendar: Mutex::new(None),
            certificates: Certificates::default(),
        }
    }

    /// Which group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Applies the entry at `index` to the state that `view` shows.
    pub fn apply(&self, view: &dyn View, index: u64, entry: &CheckedEntry) -> Applied {
        let ground: Ground = load(view, keyspace::GROUND).unwrap_or_default();
        let mut context = Context {
            group: self.group,
            index,
            registry: self.registry(view),
            calendar: self.calendar(view, ground.calendar),
            ground,
            draft: Draft::new(view),
            certificates: &self.certificates,
            terms: RefCell::default(),
        };
        let before = context.ground.clone();
        let mut comparison = Comparison::Nothing;
        let results = match &entry.body {
            Err(refusal) => vec![Err(refusal.clone())],
            Ok(CheckedBody::Commands { signer, commands }) => {
                on_commands(&mut context, *signer, commands)
            }
            Ok(CheckedBody::Report { signer, report }) => {
                let result = on_report(&mut context, *signer, report);
                // A stranger's report, or one of another group, says nothing about this state.
                if result.is_ok() {
                    comparison = compare_states(view, report);
                }
                vec![result]
            }
            Ok(CheckedBody::Parcels(certified)) => on_parcels(&mut context, certified),
            Ok(CheckedBody::Registries(files)) => {
                let savepoint = context.savepoint();
                let result = on_registries(&mut context, self.genesis, files);
                if result.is_err() {
                    context.take_back(savepoint);
                }
                vec![result]
            }
            Ok(CheckedBody::Placement { signed, order }) => {
                let savepoint = context.savepoint();
                let result = on_placement(&mut context, signed, order);
                if result.is_err() {
                    context.take_back(savepoint);
                }
                vec![result]
            }
        };
        context.draft.keep();
        dues::sweep_provisional(&mut context);
        clock::fire_deadlines(&mut context);
        memory::forget_old(&mut context);
        if context.ground != before {
            let ground = context.ground.clone();
            context.draft.store(keyspace::GROUND.to_vec(), &ground);
        }
        self.remember_registry(&context);
        let is_point = matches!(entry.body, Ok(CheckedBody::Report { .. }))
            && results.iter().all(Result::is_ok);
        let writes = seal_state(context, index, entry.bytes(), is_point);
        Applied {
            writes,
            reply: EntryReply { results },
            comparison,
        }
    }

    /// The placement a log orders that holds these entries behind what `view` shows, whether or not
    /// they are committed: a change of members takes effect in Raft where it stands in the log, so the
    /// order that authorises it is looked for there too. `None` before any order.
    pub fn foresee_placement<'e>(
        &self,
        view: &dyn View,
        entries: impl IntoIterator<Item = &'e [u8]>,
    ) -> Option<Placement> {
        let mut context = self.aside(view);
        for bytes in entries.into_iter().filter(|bytes| is_about_places(bytes)) {
            let savepoint = context.savepoint();
            let result = match &CheckedEntry::check(self.group, bytes.to_vec()).body {
                Ok(CheckedBody::Registries(files)) => {
                    on_registries(&mut context, self.genesis, files)
                }
                Ok(CheckedBody::Placement { signed, order }) => {
                    on_placement(&mut context, signed, order)
                }
                _ => Ok(Reply::Done),
            };
            if result.is_err() {
                context.take_back(savepoint);
            }
        }
        ordered_placement(&context.draft, self.group)
    }

    /// Why an entry proves nothing by what `view` shows, whatever it says: its form, its signer, its
    /// certificate, or a parcel that the certificate does not speak for. Who leads asks before it appends
    /// what another node sends, so that what proves nothing costs its sender a refusal and not the group
    /// a log entry. What a moment may heal is not refused here; [`Machine::apply`] judges all of it again.
    pub fn foresee_refusal(&self, view: &dyn View, entry: &CheckedEntry) -> Option<Refusal> {
        let mut context = self.aside(view);
        let judged = match &entry.body {
            Err(refusal) => Err(refusal.clone()),
            Ok(CheckedBody::Commands { signer, .. }) => check_commander(&context, *signer),
            Ok(CheckedBody::Report { signer, report }) => check_reporter(&context, *signer, report),
            Ok(CheckedBody::Parcels(certified)) => check_proof(&context, certified),
            Ok(CheckedBody::Registries(files)) => {
                on_registries(&mut context, self.genesis, files).map(drop)
            }
            Ok(CheckedBody::Placement { signed, order }) => {
                on_placement(&mut context, signed, order).map(drop)
            }
        };
        // The order before it may stand in the log and not be applied yet.
        let may_heal = |refusal: &Refusal| {
            refusal.is_passing() || matches!(refusal, Refusal::PlacementOutOfTurn { .. })
        };
        judged.err().filter(|refusal| !may_heal(refusal))
    }

    /// What handlers work on where nothing is written.
    fn aside<'v>(&'v self, view: &'v dyn View) -> Context<'v> {
        Context {
            group: self.group,
            index: 0,
            ground: load(view, keyspace::GROUND).unwrap_or_default(),
            registry: self.registry(view),
            calendar: None,
            draft: Draft::new(view),
            certificates: &self.certificates,
            terms: RefCell::default(),
        }
    }

    /// The registry of a view, parsed at most once a version.
    pub fn registry(&self, view: &dyn View) -> Option<Arc<Registry>> {
        let ground: Ground = load(view, keyspace::GROUND)?;
        if ground.registry == 0 {
            return None;
        }
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = &*parsed
            && registry.version() == ground.registry
        {
            return Some(registry.clone());
        }
        let file = registry_bytes(view)?;
        let registry = Arc::new(RegistryFile::decode(&file).ok()?.registry().clone());
        *parsed = Some(registry.clone());
        Some(registry)
    }

    /// The calendar of a view, read at most once a version.
    fn calendar(&self, view: &dyn View, version: u32) -> Option<Arc<Calendar>> {
        let mut read = self.calendar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, calendar)) = &*read
            && *before == version
        {
            return Some(calendar.clone());
        }
        let calendar: Arc<Calendar> = Arc::new(load(view, keyspace::CALENDAR)?);
        *read = Some((version, calendar.clone()));
        Some(calendar)
    }

    fn remember_registry(&self, context: &Context<'_>) {
        if let Some(registry) = &context.registry {
            let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
            *parsed = Some(registry.clone());
        }
    }
}

/// Whether an entry says anything about registries or places, told from its tag alone: all others, of
/// which there are many, need not be read.
pub fn is_about_places(bytes: &[u8]) -> bool {
    const FIRST_TAG: u8 = 3;
    const LAST_TAG: u8 = 5;
    bytes
        .get(RECORD_HEAD_BYTES)
        .is_some_and(|tag| (FIRST_TAG..=LAST_TAG).contains(tag))
}

/// Whether an entry brings parcels of another group, told from its tag alone.
pub fn is_of_parcels(bytes: &[u8]) -> bool {
    const TAG: u8 = 2;
    bytes.get(RECORD_HEAD_BYTES) == Some(&TAG)
}

fn on_commands(
    context: &mut Context<'_>,
    signer: PublicKey,
    commands: &[tongban_types::Command],
) -> Vec<Result<Reply, Refusal>> {
    let mut carried_out: Vec<CommandId> = Vec::with_capacity(commands.len());
    let results = commands
        .iter()
        .map(|command| {
            let savepoint = context.savepoint();
            let remembered = context.ground.remembered;
            let result = on_command(context, signer, command);
            if result.is_err() {
                context.take_back(savepoint);
            } else if context.ground.remembered > remembered {
                carried_out.push(command.id);
            }
            result
        })
        .collect();
    context.draft.keep();
    memory::note_order(context, &carried_out);
    results
}

fn on_report(
    context: &mut Context<'_>,
    signer: PublicKey,
    report: &VoterReport,
) -> Result<Reply, Refusal> {
    check_reporter(context, signer, report)?;
    clock::on_report(context, report)?;
    Ok(Reply::Done)
}

/// A voter speaks of this group for itself.
fn check_reporter(
    context: &Context<'_>,
    signer: PublicKey,
    report: &VoterReport,
) -> Result<(), Refusal> {
    if report.group != context.group {
        return Err(Refusal::OtherGroup(report.group));
    }
    // By the later of both times: an expired key cannot report an old time, and a group that lags
    // behind its voters' new keys comes forward by their reports alone.
    let at = report.time.max(context.ground.time);
    if context.signer_at(KeyRole::Voter, signer, Some(at))? != report.voter {
        return Err(Refusal::KeyWithoutRight);
    }
    Ok(())
}

/// Compares a report with the hash this replica had at that index, if it still keeps it.
fn compare_states(view: &dyn View, report: &VoterReport) -> Comparison {
    let ours: Option<Hash> = load(view, &keyspace::hash_point(report.index));
    match ours {
        None => Comparison::Nothing,
        Some(ours) if ours == report.state => Comparison::Same(report.voter),
        Some(ours) => Comparison::Other(Alarm {
            voter: report.voter,
            index: report.index,
            theirs: report.state,
            ours,
        }),
    }
}

/// Chains the state hash over the entry and what it wrote, and keeps it for comparison after each
/// report, a bounded number of points.
fn seal_state(context: Context<'_>, index: u64, entry: &[u8], is_point: bool) -> WriteSet {
    let mut draft = context.draft;
    let before: Hash = draft.load(keyspace::STATE_HASH).unwrap_or_default();
    let written = write_set_hash(draft.writes());
    let hash = sha256_parts(&[&before.0, &index.to_be_bytes(), entry, &written.0]);
    draft.store(keyspace::STATE_HASH.to_vec(), &hash);
    if is_point {
        draft.store(keyspace::hash_point(index), &hash);
        let (from, until) = range_of(keyspace::HASH_POINTS);
        let points = draft.scan(&from, &until, limits::HASH_POINTS_MAX + 8);
        let surplus = points.len().saturating_sub(limits::HASH_POINTS_MAX);
        for (key, _) in points.into_iter().take(surplus) {
            draft.delete(key);
        }
    }
    draft.into_writes()
}

fn write_set_hash(writes: &WriteSet) -> Hash {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(writes.len() * 3);
    for (key, write) in writes {
        parts.push(key);
        match write {
            Write::Put(bytes) => {
                parts.push(b"put");
                parts.push(bytes);
            }
            Write::Delete => {
                parts.push(b"delete");
                parts.push(b"");
            }
        }
    }
    sha256_parts(&parts)
}
