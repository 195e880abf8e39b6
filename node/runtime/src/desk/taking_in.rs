//! Taking an application in: who repeats one gets the same case, and of a new one the command is made that
//! the group will judge.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tongban_machine::{Refusal, Reply, recall_command};
use tongban_types::{
    Actor, CaseEnvelope, CaseNumber, Channel, Collect, Command, CommandBody, CommandId, Division,
    GroupId, Receipt, ReceiptBody, RequestTag, limits,
};

use super::{Desk, form_hash};
use crate::handle::{Application, Collected, NodeError, Oversized, Wait};
use crate::ports::LocalWrite;
use crate::seams::Platform;

/// Frees an id when its request ends, however it ends.
pub(super) struct UnderWay<'a> {
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

pub(super) struct Prepared {
    pub(super) case: CaseNumber,
    pub(super) command: Command,
    pub(super) receipt: ReceiptBody,
    /// What makes key and draws durable; empty where they are.
    pub(super) keep: Vec<LocalWrite>,
}

impl<P: Platform> Desk<P> {
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
                what: Oversized::Form,
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

    pub(super) fn begin(&self, id: CommandId) -> Result<UnderWay<'_>, NodeError> {
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
}

fn describe(division: Division) -> String {
    format!("{} ({division})", division.full_name())
}
