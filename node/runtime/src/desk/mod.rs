//! The desk: collecting never waits for a quorum. What is taken in is durable in the node's own log
//! before its receipt is given, and enters the group by itself, also across a restart.

mod drawing;
mod keeping;
mod reading;
mod record;
mod replicating;
mod shelf;
mod taking_in;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft_rt::AsyncRuntime;
use tongban_machine::{View, has_case};
use tongban_types::{CaseNumber, Code, CommandId, Hash, decode, encode, sha256_parts};

use self::drawing::Sweeps;
use self::record::DeskRecord;
pub(crate) use self::record::Sequence;
use self::shelf::Shelf;
use crate::core::Core;
use crate::gauges::DeskCounters;
use crate::handle::NodeError;
use crate::numbers::Numbers;
use crate::ports::{LocalTable, LocalWrite};
use crate::proposer::Proposer;
use crate::seams::Platform;
use crate::signal::Signal;
use crate::vault::Vault;

/// Bytes of salt in front of a sealed form.
pub(crate) const SALT_BYTES: usize = 16;

/// Takes applications in.
pub(crate) struct Desk<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    proposer: Arc<Proposer<P>>,
    numbers: Numbers,
    stored: Signal<P::Runtime>,
    shelf: Mutex<Shelf<RuntimeInstant<P>>>,
    /// Ids being taken in right now, so that a repeat does not overtake its first.
    under_way: Mutex<BTreeSet<CommandId>>,
    /// What is known to be in the group, whose drawn record goes with a later write.
    replicated: Mutex<VecDeque<(CommandId, CaseNumber)>>,
    sweeps: Mutex<Sweeps<P>>,
    pub(crate) counters: DeskCounters,
}

type RuntimeInstant<P> = <<P as Platform>::Runtime as AsyncRuntime>::Instant;

impl<P: Platform> Desk<P> {
    pub(crate) fn new(
        core: Arc<Core<P>>,
        vault: Arc<Vault<P>>,
        proposer: Arc<Proposer<P>>,
    ) -> Self {
        let numbers = Numbers::open(core.me, core.local.clone());
        let found = core.local.scan(LocalTable::Desk, &[], usize::MAX);
        let shelf = Shelf::of(places_of(&found));
        Self {
            core,
            vault,
            proposer,
            numbers,
            stored: Signal::new(),
            shelf: Mutex::new(shelf),
            under_way: Mutex::default(),
            replicated: Mutex::default(),
            sweeps: Mutex::new(Sweeps::begin()),
            counters: DeskCounters::default(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<RuntimeInstant<P>>> {
        // Every change under the lock is whole before anything can panic.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this node's own replica shows a case by the end of a time.
    async fn until_case_here(&self, case: CaseNumber, patience: Duration) -> bool {
        let shows = |view: &dyn View| has_case(view, case);
        self.core.until_here(patience, shows).await
    }

    async fn write(&self, writes: Vec<LocalWrite>) -> Result<(), NodeError> {
        self.core.local.write(writes).await.map_err(|error| {
            self.core
                .failed
                .store(true, std::sync::atomic::Ordering::Release);
            NodeError::Failed(error.to_string())
        })
    }

    fn record_of(&self, id: CommandId) -> Option<DeskRecord> {
        decode(&self.core.local.get(LocalTable::Desk, &id.0.0)?).ok()
    }
}

/// What the shelf needs of the records of a scan.
fn places_of(
    found: &[(Vec<u8>, Vec<u8>)],
) -> impl Iterator<Item = (CaseNumber, CommandId, Option<Code>)> {
    let records = found
        .iter()
        .filter_map(|(_, value)| decode::<DeskRecord>(value).ok());
    records.map(|record| (record.case, record.id, record.refused))
}

fn put(record: &DeskRecord) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Desk,
        key: record.id.0.0.to_vec(),
        value: Some(encode(record)),
    }
}

/// The salted hash that stands in the clear for a form.
pub(crate) fn form_hash(salted: &[u8]) -> Hash {
    sha256_parts(&[b"tongban/form/v1", salted])
}
