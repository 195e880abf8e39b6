//! Keeping what is taken in: durable at this node, or in the group first, with the receipt that says which.

use tongban_machine::{Refusal, load_case};
use tongban_types::{
    CaseNumber, Command, CommandBody, KeyRole, Purpose, Receipt, ReceiptBody, RequestTag, Signed,
    encode,
};

use super::drawing::forget;
use super::record::DeskRecord;
use super::taking_in::Prepared;
use super::{Desk, put};
use crate::handle::{Collected, NodeError};
use crate::ports::{LocalTable, LocalWrite};
use crate::proposer::{Order, known_as};
use crate::seams::{Platform, Signer};

impl<P: Platform> Desk<P> {
    /// Durable here first; the group gets it by itself.
    pub(super) async fn store(
        &self,
        prepared: Prepared,
        request: RequestTag,
    ) -> Result<Collected, NodeError> {
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
    pub(super) async fn replicate_first(
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
    pub(super) fn known_before(&self, case: CaseNumber) -> Result<Collected, NodeError> {
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
    pub(super) fn is_same(&self, case: CaseNumber, command: &Command) -> Result<bool, NodeError> {
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
}

/// Whether what the group refuses now may be taken in as it is: the time is not there yet, or the
/// city's key is not in the log yet.
fn may_pass(refusal: &Refusal) -> bool {
    refusal.is_passing() || matches!(refusal, Refusal::KeyWithoutRight)
}
