//! What people do to cases: their words sealed, their act dated and signed, and submitted to the
//! city's group.

use std::sync::Arc;

use tongban_machine::{Refusal, Reply, View, has_case, load_case, recall_command};
use tongban_types::{
    Actor, AskCorrection, CaseNumber, CaseVersion, Command, CommandBody, CommandId, Correct,
    Decide, Decision, GroupId, OnCase, RequestTag, Review, Sealed, SealedUse, WithReason, limits,
};

use crate::core::{Core, Until};
use crate::desk::{SALT_BYTES, form_hash};
use crate::handle::{Act, Acted, NodeError, Oversized};
use crate::proposer::{Order, Proposer};
use crate::sealing::CaseKey;
use crate::seams::{Entropy, Platform};
use crate::vault::Vault;

/// Carries out people's acts.
pub(crate) struct Acts<P: Platform> {
    pub(crate) core: Arc<Core<P>>,
    pub(crate) vault: Arc<Vault<P>>,
    pub(crate) proposer: Arc<Proposer<P>>,
}

impl<P: Platform> Acts<P> {
    /// Whatever it waits for, it has answered when the answer is due.
    pub(crate) async fn act(
        &self,
        actor: Actor,
        id: CommandId,
        case: CaseNumber,
        expected: CaseVersion,
        act: Act,
        due: &Until<P::Runtime>,
    ) -> Result<Acted, NodeError> {
        let on = OnCase { case, expected };
        let request = self.request_tag(&actor, on, &act);
        if let Some(before) = self.acted_before(id, request)? {
            return Ok(before);
        }
        // Before the act is dated: it may wait for the group.
        let body = self.core.ask_of_case(due, || self.body(on, &act)).await?;
        // Submitted now, it might be carried out though nobody waits for it any more.
        let left = due.left().ok_or(NodeError::NotCaughtUp)?;
        let command = Command {
            group: GroupId(self.core.city()),
            id,
            at: self.core.now(),
            actor,
            request,
            body,
        };
        let order = Order {
            command,
            receipt: None,
        };
        let tempo = self.core.tempo();
        let patience = left.min(tempo.order_timeout);
        let done = self.proposer.submit_within(patience, order).await?;
        let acted = acted(done.reply, false)?;
        let shows = |view: &dyn View| {
            load_case(view, case).is_some_and(|record| record.version >= acted.version)
        };
        let left = due.left().unwrap_or_default();
        let patience = left.min(tempo.shown_timeout);
        self.core.until_here(patience, shows).await;
        Ok(acted)
    }

    /// The reply the id got before, as far as this node knows; the group knows the rest.
    fn acted_before(&self, id: CommandId, request: RequestTag) -> Result<Option<Acted>, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let known = own.replica.read(|view| recall_command(view, id));
        match known? {
            None => Ok(None),
            Some((asked, reply)) if asked == request => acted(reply, true).map(Some),
            Some(_) => Err(Refusal::IdReused.into()),
        }
    }

    fn request_tag(&self, actor: &Actor, on: OnCase, act: &Act) -> RequestTag {
        let (decision, words): (&[u8], &[u8]) = match act {
            Act::Transfer | Act::Accept | Act::Deliver => (&[], &[]),
            Act::AskCorrection { notice: words }
            | Act::RefuseToAccept { reason: words }
            | Act::Withdraw { reason: words } => (&[], words.as_bytes()),
            Act::Correct { form, .. } => (&[], form),
            Act::Review {
                recommend: decision,
                opinion: words,
            } => (decision_name(*decision), words.as_bytes()),
            Act::Decide { decision, reason } => (
                decision_name(*decision),
                reason.as_deref().unwrap_or_default().as_bytes(),
            ),
        };
        self.vault.request_tag(&[
            act.name().as_bytes(),
            actor.role.name().as_bytes(),
            actor.person.as_str().as_bytes(),
            on.case.to_string().as_bytes(),
            &on.expected.0.to_be_bytes(),
            decision,
            words,
        ])
    }

    /// What the act says to the group.
    fn body(&self, on: OnCase, act: &Act) -> Result<CommandBody, NodeError> {
        Ok(match act {
            Act::Transfer => CommandBody::Transfer(on),
            Act::Accept => CommandBody::Accept(on),
            Act::Deliver => CommandBody::Deliver(on),
            Act::AskCorrection { notice } => CommandBody::AskCorrection(AskCorrection {
                on,
                notice: self.words(on.case, SealedUse::Notice, notice)?,
            }),
            Act::RefuseToAccept { reason } => {
                CommandBody::RefuseToAccept(self.with_reason(on, reason)?)
            }
            Act::Withdraw { reason } => CommandBody::Withdraw(self.with_reason(on, reason)?),
            Act::Review { recommend, opinion } => CommandBody::Review(Review {
                on,
                recommend: *recommend,
                opinion: self.words(on.case, SealedUse::Reason, opinion)?,
            }),
            Act::Decide { decision, reason } => CommandBody::Decide(Decide {
                on,
                decision: *decision,
                reason: reason
                    .as_ref()
                    .map(|reason| self.words(on.case, SealedUse::Reason, reason))
                    .transpose()?,
            }),
            Act::Correct { form, .. } => {
                if form.len() > limits::FORM_BYTES_MAX {
                    return Err(NodeError::TooLarge {
                        what: Oversized::Form,
                        bytes_max: limits::FORM_BYTES_MAX,
                    });
                }
                let mut salted = self.core.entropy.array::<SALT_BYTES>().to_vec();
                salted.extend_from_slice(form);
                let key = self.key(on.case)?;
                CommandBody::Correct(Correct {
                    on,
                    form: self.vault.seal(&key, SealedUse::Form, on.case, &salted),
                    form_hash: form_hash(&salted),
                })
            }
        })
    }

    fn with_reason(&self, on: OnCase, reason: &str) -> Result<WithReason, NodeError> {
        Ok(WithReason {
            on,
            reason: self.words(on.case, SealedUse::Reason, reason)?,
        })
    }

    fn words(&self, case: CaseNumber, usage: SealedUse, text: &str) -> Result<Sealed, NodeError> {
        if text.len() > limits::TEXT_BYTES_MAX {
            return Err(NodeError::TooLarge {
                what: Oversized::Text,
                bytes_max: limits::TEXT_BYTES_MAX,
            });
        }
        Ok(self
            .vault
            .seal(&self.key(case)?, usage, case, text.as_bytes()))
    }

    /// The key of a case; where there is no such case at all, that is said instead.
    fn key(&self, case: CaseNumber) -> Result<CaseKey, NodeError> {
        if let Some(key) = self.vault.key(case) {
            return Ok(key);
        }
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let known = own.replica.read(|view| has_case(view, case));
        match known {
            Ok(true) => Err(NodeError::NoKey(case)),
            Ok(false) => Err(NodeError::NoSuchCase(case)),
            Err(error) => Err(error.into()),
        }
    }
}

fn acted(reply: Reply, repeated: bool) -> Result<Acted, NodeError> {
    match reply {
        Reply::Case {
            number,
            version,
            state,
        } => Ok(Acted {
            case: number,
            version,
            state,
            repeated,
        }),
        other => Err(NodeError::Failed(format!(
            "the group answered {other:?} to an act"
        ))),
    }
}

const fn decision_name(decision: Decision) -> &'static [u8] {
    match decision {
        Decision::Grant => b"grant",
        Decision::Refuse => b"refuse",
    }
}
