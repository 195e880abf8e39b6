//! The desk: collecting never waits for a quorum. What is taken in is durable in the node's own log
//! before its receipt is given, and enters the group by itself, also across a restart.

mod drawing;
mod record;
mod replicating;
mod shelf;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft_rt::AsyncRuntime;
use tongban_machine::{Refusal, Reply, View, load_case, recall_command};
use tongban_types::{
    Actor, CaseEnvelope, CaseNumber, Channel, Code, Collect, Command, CommandBody, CommandId,
    Division, GroupId, Hash, KeyRole, Purpose, Receipt, ReceiptBody, RequestTag, Signed, decode,
    encode, limits, sha256_parts,
};

use self::drawing::{Sweeps, forget};
use self::record::DeskRecord;
pub(crate) use self::record::Sequence;
use self::shelf::Shelf;
use crate::core::Core;
use crate::gauges::DeskCounters;
use crate::handle::{Application, Collected, NodeError, StoredCase, Wait};
use crate::numbers::Numbers;
use crate::ports::{LocalTable, LocalWrite};
use crate::proposer::{Order, Proposer, known_as};
use crate::seams::{Platform, Signer};
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

/// Frees an id when its request ends, however it ends.
struct UnderWay<'a> {
    ids: &'a Mutex<BTreeSet<CommandId>>,
    id: CommandId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

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

    /// Takes an application in.
    pub(crate) async fn collect(
        &self,
        actor: Actor,
        id: CommandId,
        application: Application,
        wait: Wait,
    ) -> Result<Collected, NodeError> {
        if application.form.len() > limits::FORM_BYTES_MAX {
            return Err(NodeError::TooLarge {
                what: "the form",
                bytes_max: limits::FORM_BYTES_MAX,
            });
        }
        let _under_way = self.begin(id)?;
        let request = self.request_tag(&actor, &application);
        if let Some(before) = self.collected_before(id, request)? {
            return Ok(before);
        }
        if self.core.is_draining() {
            return Err(NodeError::Draining);
        }
        let order = self.prepare(actor, id, &application, request).await?;
        match wait {
            Wait::Stored => self.store(order, request).await,
            Wait::Replicated => self.replicate_first(order, request).await,
        }
    }

    fn request_tag(&self, actor: &Actor, application: &Application) -> RequestTag {
        let channel = match application.channel {
            Channel::Window => "window",
            Channel::Online => "online",
            Channel::Terminal => "terminal",
        };
        self.vault.request_tag(&[
            b"collect",
            actor.role.name().as_bytes(),
            actor.person.as_str().as_bytes(),
            application.item.to_string().as_bytes(),
            &application.form,
            channel.as_bytes(),
            &[u8::from(application.hand_over)],
        ])
    }

    fn begin(&self, id: CommandId) -> Result<UnderWay<'_>, NodeError> {
        let mut ids = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if ids.insert(id) {
            Ok(UnderWay {
                ids: &self.under_way,
                id,
            })
        } else {
            Err(NodeError::UnderWay)
        }
    }

    /// The same id gives the same case; an id used for something else is refused.
    fn collected_before(
        &self,
        id: CommandId,
        request: RequestTag,
    ) -> Result<Option<Collected>, NodeError> {
        if let Some(record) = self.record_of(id) {
            if record.request != request {
                return Err(Refusal::IdReused.into());
            }
            let receipt = Receipt::Stored(record.receipt);
            self.shelf()
                .put_missing(std::iter::once((record.case, id, record.refused)));
            return Ok(Some(Collected {
                case: record.case,
                receipt,
                repeated: true,
            }));
        }
        let Some(own) = self.core.own() else {
            return Ok(None);
        };
        let reply = own.replica.read(|view| recall_command(view, id));
        let Some((asked, Reply::Case { number, .. })) = reply? else {
            return Ok(None);
        };
        if asked != request {
            return Err(Refusal::IdReused.into());
        }
        self.known_before(number).map(Some)
    }

    async fn prepare(
        &self,
        actor: Actor,
        id: CommandId,
        application: &Application,
        request: RequestTag,
    ) -> Result<Prepared, NodeError> {
        let registry = self.core.registry();
        let division = application.authority_division;
        let authority = registry
            .city_of_division(division.number())
            .ok_or_else(|| NodeError::AuthorityOutside {
                division: describe(division),
            })?;
        let (drawn, key, keep) = self.draw(id, request).await?;
        let (case, at) = (drawn.case, drawn.at);
        let mut salted = drawn.salt.to_vec();
        salted.extend_from_slice(&application.form);
        let form_hash = form_hash(&salted);
        let form = self.vault.seal_form(&key, drawn.nonce, case, &salted);
        let envelope = CaseEnvelope {
            number: case,
            item: application.item,
            item_file: application.item_file,
            mode: application.mode,
            intake: self.core.city(),
            authority,
            authority_division: division,
            subject: self.vault.pseudonym(&application.subject),
            channel: application.channel,
            collected_at: at,
            collected_by: actor.clone(),
            form: form_hash,
        };
        let receipt = ReceiptBody {
            case,
            item: envelope.item,
            authority,
            collected_at: at,
            form: form_hash,
            node: self.core.me,
        };
        let collect = Collect {
            envelope,
            form,
            hand_over: application.hand_over,
        };
        let command = Command {
            group: GroupId(self.core.city()),
            id,
            at,
            actor,
            request,
            body: CommandBody::Collect(Box::new(collect)),
        };
        Ok(Prepared {
            case,
            command,
            receipt,
            keep,
        })
    }

    /// Durable here first; the group gets it by itself.
    async fn store(&self, prepared: Prepared, request: RequestTag) -> Result<Collected, NodeError> {
        let Prepared {
            case,
            command,
            receipt,
            keep,
        } = prepared;
        let signed = self.sign_local(&receipt)?;
        let record = DeskRecord {
            case,
            id: command.id,
            request,
            command: encode(&command),
            receipt: signed.clone(),
            refused: None,
        };
        let mut writes = keep;
        writes.retain(|write| write.table != LocalTable::Proposed);
        // The whole command is kept from here on.
        writes.extend([forget(record.id), put(&record)]);
        self.write(writes).await?;
        self.shelf().put(case, record.id);
        self.counters.stored();
        self.stored.ring();
        Ok(Collected {
            case,
            receipt: Receipt::Stored(signed),
            repeated: false,
        })
    }

    /// The group first; if it does not answer in time, durable here, as if it had not been asked.
    /// Should it have taken the order after all, the repeat has the same id and changes nothing.
    async fn replicate_first(
        &self,
        prepared: Prepared,
        request: RequestTag,
    ) -> Result<Collected, NodeError> {
        if self.proposer.is_unheard() {
            // Somebody has just waited in vain, and stored applications keep trying.
            return self.store(prepared, request).await;
        }
        // What the group accepts must never be sealed under a key this node could still lose, and
        // a repeat after a crash must be the same command.
        let mut writes = self.forgettable();
        writes.extend(prepared.keep.iter().cloned());
        if !writes.is_empty() {
            self.write(writes).await?;
        }
        let order = Order {
            command: prepared.command.clone(),
            receipt: Some(prepared.receipt),
        };
        let (case, id) = (prepared.case, prepared.command.id);
        match self.proposer.submit(order).await {
            Ok(done) if known_as(&done.reply) != Some(case) => {
                // What was drawn before is forgotten here, while the group knows the id by it.
                self.forget_prepared(prepared).await?;
                let known = known_as(&done.reply).ok_or(Refusal::IdReused)?;
                self.until_case_here(known, self.core.tempo().shown_timeout)
                    .await;
                self.known_before(known)
            }
            Ok(done) => {
                self.counters.replicated();
                self.note_replicated(id, case);
                // A question about the case finds it here from now on.
                self.until_case_here(case, self.core.tempo().shown_timeout)
                    .await;
                let receipt = match done.receipt {
                    Some(receipt) => Receipt::Replicated(receipt),
                    None => self.known_receipt(case)?,
                };
                Ok(Collected {
                    case,
                    receipt,
                    repeated: false,
                })
            }
            Err(NodeError::Refused(Refusal::CaseExists)) => {
                let patience = self.core.tempo().shown_timeout;
                if !self.until_case_here(case, patience).await {
                    return Err(NodeError::TimedOut);
                }
                if !self.is_same(case, &prepared.command)? {
                    // The number is another application's, and its key with it: a repeat draws anew.
                    self.write(vec![forget(id)]).await?;
                    return Err(Refusal::CaseExists.into());
                }
                // It was taken in longer ago than the group remembers ids.
                self.note_replicated(id, case);
                self.known_before(case)
            }
            Err(NodeError::Refused(refusal)) if !may_pass(&refusal) => {
                self.forget_prepared(prepared).await?;
                Err(refusal.into())
            }
            Err(error) => {
                tracing::info!(%case, %error, "the group does not answer; stored at the desk");
                self.store(prepared, request).await
            }
        }
    }

    /// Forgets what was drawn for an application under a number that the group will never have.
    async fn forget_prepared(&self, prepared: Prepared) -> Result<(), NodeError> {
        let forget_key = prepared.keep.into_iter().map(|write| LocalWrite {
            value: None,
            ..write
        });
        let writes = forget_key.chain([forget(prepared.command.id)]).collect();
        self.write(writes).await
    }

    /// The answer to a repeat.
    fn known_before(&self, case: CaseNumber) -> Result<Collected, NodeError> {
        Ok(Collected {
            case,
            receipt: self.known_receipt(case)?,
            repeated: true,
        })
    }

    /// The receipt of a case that the group is known to have, though this replica may not show it yet: who
    /// is told to try again gets it then.
    fn known_receipt(&self, case: CaseNumber) -> Result<Receipt, NodeError> {
        self.receipt_of(case)?.ok_or(NodeError::TimedOut)
    }

    /// Whether the case that the group has under a number is the one that a command collects.
    fn is_same(&self, case: CaseNumber, command: &Command) -> Result<bool, NodeError> {
        let CommandBody::Collect(order) = &command.body else {
            return Ok(false);
        };
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let known = own.replica.read(|view| load_case(view, case))?;
        Ok(known.is_some_and(|known| {
            known.envelope.collected_at == order.envelope.collected_at
                && known.envelope.collected_by == order.envelope.collected_by
                && known.envelope.subject == order.envelope.subject
        }))
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<RuntimeInstant<P>>> {
        // Every change under the lock is whole before anything can panic.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this node's own replica shows a case by the end of a time.
    async fn until_case_here(&self, case: CaseNumber, patience: Duration) -> bool {
        let shows = |view: &dyn View| load_case(view, case).is_some();
        self.core.until_here(patience, shows).await
    }

    fn sign_local(&self, receipt: &ReceiptBody) -> Result<Signed, NodeError> {
        let bytes = encode(receipt);
        let message = Purpose::ReceiptLocal.message(&bytes);
        let signer = self.core.signer.public(KeyRole::Receipt);
        let signature = self.core.signer.sign(KeyRole::Receipt, &message);
        match (signer, signature) {
            (Some(signer), Some(signature)) => Ok(Signed {
                signer,
                signature,
                bytes,
            }),
            _ => Err(NodeError::Failed(
                "this node holds no receipt key".to_owned(),
            )),
        }
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

    /// The case of an order that waits here, or was drawn here and is in the group.
    pub(crate) fn case_of(&self, id: CommandId) -> Option<CaseNumber> {
        let waiting = self.record_of(id).map(|record| record.case);
        waiting.or_else(|| self.drawn_case_of(id))
    }

    /// How many applications wait for their group, and how many of them it refused.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let shelf = self.shelf();
        (shelf.len(), shelf.refused())
    }

    /// What waits at the desk behind a number, in order of their numbers.
    pub(crate) fn stored_cases(&self, after: Option<CaseNumber>, limit: usize) -> Vec<StoredCase> {
        let ids = self.shelf().list(after, limit);
        let records = ids.into_iter().filter_map(|id| self.record_of(id));
        records.filter_map(|record| stored_case(&record)).collect()
    }

    /// A case that waits: what is said of it, its form where its key is here, and its receipt.
    pub(crate) fn open_stored(&self, case: CaseNumber) -> Option<OpenedStored> {
        let record = self.waiting_case(case)?;
        let stored = stored_case(&record)?;
        let form = collect_of(&record).and_then(|order| self.vault.open_sealed(case, &order.form));
        Some(OpenedStored {
            stored,
            form: form.and_then(|salted| salted.get(SALT_BYTES..).map(<[u8]>::to_vec)),
            receipt: Receipt::Stored(record.receipt),
        })
    }

    /// The desk's record of a case, while it waits.
    fn waiting_case(&self, case: CaseNumber) -> Option<DeskRecord> {
        let id = self.shelf().id_of(case)?;
        self.record_of(id)
    }

    /// The receipt of a case this city collected: signed anew from the group's record, or the one
    /// given at the desk while it waits; an error where the group's record cannot be read.
    pub(crate) fn receipt_of(&self, case: CaseNumber) -> Result<Option<Receipt>, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let record = own.replica.read(|view| load_case(view, case))?;
        let Some(record) = record.filter(|r| r.envelope.intake == self.core.city()) else {
            let waiting = self.waiting_case(case);
            return Ok(waiting.map(|record| Receipt::Stored(record.receipt)));
        };
        let envelope = record.envelope;
        let Ok(node) = tongban_types::NodeId::new(case.intake_city(), case.node_number()) else {
            return Ok(None);
        };
        let body = ReceiptBody {
            case,
            item: envelope.item,
            authority: envelope.authority,
            collected_at: envelope.collected_at,
            form: envelope.form,
            node,
        };
        let signed = crate::proposer::sign_leaves(&self.core, vec![encode(&body)]);
        Ok(signed.into_iter().next().map(Receipt::Replicated))
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

/// A case that waits at the desk, opened.
pub(crate) struct OpenedStored {
    pub(crate) stored: StoredCase,
    pub(crate) form: Option<Vec<u8>>,
    pub(crate) receipt: Receipt,
}

/// Whether what the group refuses now may be taken in as it is: the time is not there yet, or the
/// city's key is not in the log yet.
fn may_pass(refusal: &Refusal) -> bool {
    refusal.is_passing() || matches!(refusal, Refusal::KeyWithoutRight)
}

fn collect_of(record: &DeskRecord) -> Option<Box<Collect>> {
    match decode::<Command>(&record.command).ok()?.body {
        CommandBody::Collect(order) => Some(order),
        _ => None,
    }
}

fn stored_case(record: &DeskRecord) -> Option<StoredCase> {
    let envelope = collect_of(record)?.envelope;
    Some(StoredCase {
        number: record.case,
        item: envelope.item,
        authority: envelope.authority,
        channel: envelope.channel,
        collected_at: envelope.collected_at,
        collected_by: envelope.collected_by,
        refused: record.refused,
    })
}

struct Prepared {
    case: CaseNumber,
    command: Command,
    receipt: ReceiptBody,
    /// What makes key and draws durable; empty where they are.
    keep: Vec<LocalWrite>,
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

fn describe(division: Division) -> String {
    format!("{} ({division})", division.full_name())
}
