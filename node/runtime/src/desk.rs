//! The desk: collecting never waits for a quorum. What is taken in is durable in the node's own log
//! before its receipt is given, and enters the group by itself, also across a restart.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use tongban_machine::{Refusal, Reply, recall_command};
use tongban_types::{
    Actor, CaseEnvelope, CaseNumber, Channel, Collect, Command, CommandBody, CommandId, Division,
    GroupId, Hash, KeyRole, Purpose, Receipt, ReceiptBody, RequestTag, SealedUse, Signed, decode,
    encode, limits, sha256_parts,
};

use crate::core::Core;
use crate::desk_record::{DeskRecord, Drawn};
use crate::handle::{Application, Collected, NodeError, Wait};
use crate::numbers::Numbers;
use crate::ports::{LocalTable, LocalWrite};
use crate::proposer::{Order, Proposer};
use crate::sealing::{self, CaseKey};
use crate::seams::{Entropy, Platform, Signer};
use crate::signal::Signal;
use crate::vault::Vault;

/// Stored applications brought into the group at once.
const REPLICATING_MAX: usize = 256;

/// Drawn records forgotten with one write, so that no write grows large.
const FORGOTTEN_MAX: usize = 256;

/// Bytes of salt in front of a sealed form.
pub(crate) const SALT_BYTES: usize = 16;

/// Takes applications in.
pub(crate) struct Desk<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    proposer: Arc<Proposer<P>>,
    numbers: Numbers,
    stored: Signal<P::Runtime>,
    /// Ids being taken in right now, so that a repeat waits for its first.
    under_way: Mutex<BTreeSet<CommandId>>,
    /// Ids known to be in the group, whose drawn record goes with the next write.
    replicated: Mutex<Vec<CommandId>>,
}

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
        let under_way = Mutex::new(BTreeSet::new());
        Self {
            core,
            vault,
            proposer,
            numbers,
            stored: Signal::new(),
            under_way,
            replicated: Mutex::default(),
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
            Err(NodeError::Busy)
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
        let Some((asked, Reply::Case { number, .. })) = reply.map_err(failed)? else {
            return Ok(None);
        };
        if asked != request {
            return Err(Refusal::IdReused.into());
        }
        let receipt = self
            .receipt_of(number)
            .ok_or(NodeError::NoSuchCase(number))?;
        Ok(Some(Collected {
            case: number,
            receipt,
            repeated: true,
        }))
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
        let form = sealing::seal(&key, drawn.nonce, SealedUse::Form, case, &salted);
        let envelope = CaseEnvelope {
            number: case,
            item: application.item,
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

    /// Number, time, salt, nonce and key of an application: those drawn before a crash if it was
    /// proposed then, else new ones, with the writes that keep them.
    async fn draw(
        &self,
        id: CommandId,
        request: RequestTag,
    ) -> Result<(Drawn, CaseKey, Vec<LocalWrite>), NodeError> {
        let before = self.core.local.get(LocalTable::Proposed, &id.0.0);
        if let Some(before) = before.and_then(|bytes| decode::<Drawn>(&bytes).ok()) {
            if before.request != request {
                return Err(Refusal::IdReused.into());
            }
            let key = self.vault.key(before.case);
            let key = key.ok_or(NodeError::NoKey(before.case))?;
            return Ok((before, key, Vec::new()));
        }
        let at = self.core.now();
        let case = self.numbers.next(at.china_day()).await?;
        let (key, keep_key) = self.vault.draw(case);
        let drawn = Drawn {
            case,
            at,
            salt: self.core.entropy.array(),
            nonce: self.core.entropy.array(),
            request,
        };
        let keep_drawn = LocalWrite {
            table: LocalTable::Proposed,
            key: id.0.0.to_vec(),
            value: Some(encode(&drawn)),
        };
        Ok((drawn, key, vec![keep_key, keep_drawn]))
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
        writes.extend([forget_drawn(record.id), put(&record)]);
        self.write(writes).await?;
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
            Ok(done) => {
                self.replicated().push(id);
                let receipt = match done.receipt {
                    Some(receipt) => Receipt::Replicated(receipt),
                    None => self.receipt_of(case).ok_or(NodeError::NoSuchCase(case))?,
                };
                Ok(Collected {
                    case,
                    receipt,
                    repeated: false,
                })
            }
            Err(NodeError::Refused(Refusal::CaseExists)) => {
                // It was taken in longer ago than the group remembers ids.
                self.replicated().push(id);
                let receipt = self.receipt_of(case).ok_or(NodeError::NoSuchCase(case))?;
                Ok(Collected {
                    case,
                    receipt,
                    repeated: true,
                })
            }
            Err(NodeError::Refused(refusal)) if !refusal.is_passing() => {
                let forget_key = prepared.keep.into_iter().map(|write| LocalWrite {
                    value: None,
                    ..write
                });
                let writes = forget_key.chain([forget_drawn(id)]).collect();
                self.write(writes).await?;
                Err(refusal.into())
            }
            Err(error) => {
                tracing::info!(%case, %error, "the group does not answer; stored at the desk");
                self.store(prepared, request).await
            }
        }
    }

    fn replicated(&self) -> MutexGuard<'_, Vec<CommandId>> {
        self.replicated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The writes that forget what was drawn for applications the group has.
    fn forgettable(&self) -> Vec<LocalWrite> {
        let mut ids = self.replicated();
        let kept = ids.len().saturating_sub(FORGOTTEN_MAX);
        ids.drain(kept..).map(forget_drawn).collect()
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

    /// Applications that wait for their group, in order of their ids, at most `limit`.
    pub(crate) fn waiting(&self, limit: usize) -> Vec<DeskRecord> {
        let records = self.core.local.scan(LocalTable::Desk, &[], limit);
        records
            .iter()
            .filter_map(|(_, value)| decode(value).ok())
            .collect()
    }

    /// The desk's record of a case, while it waits.
    pub(crate) fn waiting_case(&self, case: CaseNumber) -> Option<DeskRecord> {
        self.waiting(usize::MAX)
            .into_iter()
            .find(|record| record.case == case)
    }

    /// The receipt of a case this city collected: signed anew from the group's record, or the one
    /// given at the desk while it waits.
    pub(crate) fn receipt_of(&self, case: CaseNumber) -> Option<Receipt> {
        let own = self.core.own()?;
        let record = own
            .replica
            .read(|view| tongban_machine::load_case(view, case))
            .ok()?;
        let Some(record) = record.filter(|r| r.envelope.intake == self.core.city()) else {
            return self
                .waiting_case(case)
                .map(|record| Receipt::Stored(record.receipt));
        };
        let envelope = record.envelope;
        let node = tongban_types::NodeId::new(case.intake_city(), case.node_number()).ok()?;
        let body = ReceiptBody {
            case,
            item: envelope.item,
            authority: envelope.authority,
            collected_at: envelope.collected_at,
            form: envelope.form,
            node,
        };
        let signed = crate::proposer::sign_leaves(&self.core, vec![encode(&body)]);
        signed.into_iter().next().map(Receipt::Replicated)
    }

    /// Brings stored applications into the group until the node stops.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rung = self.stored.listen();
        let mut attempt = 0;
        while !self.core.is_stopping() {
            rung.mark();
            let waiting = self.waiting(REPLICATING_MAX + self.refused_count());
            let open: Vec<DeskRecord> = waiting
                .into_iter()
                .filter(|record| record.refused.is_none())
                .collect();
            let tried = open.len();
            let done = join_all(open.into_iter().map(|record| self.replicate(record))).await;
            let replicated = done.into_iter().filter(|done| *done).count();
            if replicated < tried {
                attempt += 1;
                self.core.rest(self.core.pause(attempt)).await;
            } else if tried == 0 {
                attempt = 0;
                let forgettable = self.forgettable();
                if !forgettable.is_empty() {
                    // A failure is kept; what is not forgotten does no harm.
                    let _ = self.write(forgettable).await;
                }
                rung.heard(self.core.tempo().look_every).await;
            }
        }
    }

    fn refused_count(&self) -> usize {
        self.waiting(usize::MAX)
            .iter()
            .filter(|record| record.refused.is_some())
            .count()
    }

    /// Whether the group has it now, or has refused it for good.
    async fn replicate(&self, record: DeskRecord) -> bool {
        let Ok(command) = decode::<Command>(&record.command) else {
            return false;
        };
        let submitted = self
            .proposer
            .submit(Order {
                command,
                receipt: None,
            })
            .await;
        let write = match submitted {
            Ok(_) => LocalWrite {
                table: LocalTable::Desk,
                key: record.id.0.0.to_vec(),
                value: None,
            },
            Err(NodeError::Refused(refusal)) if !refusal.is_passing() => {
                tracing::warn!(case = %record.case, %refusal, "the group refuses what the desk took in");
                put(&DeskRecord {
                    refused: Some(refusal.code()),
                    ..record
                })
            }
            Err(_) => return false,
        };
        self.write(vec![write]).await.is_ok()
    }
}

struct Prepared {
    case: CaseNumber,
    command: Command,
    receipt: ReceiptBody,
    /// What makes key and draws durable; empty where they are.
    keep: Vec<LocalWrite>,
}

fn forget_drawn(id: CommandId) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Proposed,
        key: id.0.0.to_vec(),
        value: None,
    }
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

fn failed(error: impl std::fmt::Display) -> NodeError {
    NodeError::Failed(error.to_string())
}
