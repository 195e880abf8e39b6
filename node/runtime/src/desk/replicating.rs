//! Stored applications on their way into the group, by themselves: whatever keeps them from it, they are
//! tried again, and none is ever given up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tongban_machine::Refusal;
use tongban_types::{CaseNumber, Code, Command, CommandId, decode};

use super::record::DeskRecord;
use super::{Desk, places_of, put};
use crate::core::instant;
use crate::handle::NodeError;
use crate::ports::{LocalTable, LocalWrite};
use crate::proposer::{Order, known_as};
use crate::seams::Platform;

/// Stored applications brought into the group at once.
const REPLICATING_MAX: usize = 256;

/// What the group refuses rests so long before it is tried again: most causes (a registry, a key or an
/// item that is not in the log yet) pass by themselves or when a person has acted, none in a moment.
const REFUSED_REST: Duration = Duration::from_secs(30);

/// What became of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// The group has it, and this node shows it.
    Done,
    /// The group refused it; it rests.
    SetAside,
    /// The group did not answer, or this node does not show it yet.
    NotNow,
}

impl<P: Platform> Desk<P> {
    /// Brings stored applications into the group until the node stops.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rung = self.stored.listen();
        let mut attempt = 0;
        let mut after = None;
        while !self.core.is_stopping() {
            rung.mark();
            let now = instant::<P::Runtime>();
            let round = self.shelf().due(after, now, REPLICATING_MAX);
            let Some((last, _)) = round.last() else {
                self.take_up_strays();
                // Behind the last one the first comes again; a whole turn without any is rest.
                if after.take().is_none() {
                    attempt = 0;
                    self.forget_drawn().await;
                    rung.heard(self.core.tempo().look_every).await;
                }
                continue;
            };
            after = Some(*last);
            let tries = round.iter().map(|(case, id)| self.replicate(*case, *id));
            if join_all(tries).await.contains(&Tried::NotNow) {
                attempt += 1;
                self.core.rest(self.core.pause(attempt)).await;
            }
        }
    }

    /// Who takes an application in may be gone before it is on the shelf, while its record becomes
    /// durable all the same.
    fn take_up_strays(&self) {
        let local = &self.core.local;
        if local.count(LocalTable::Desk) > self.shelf().len() {
            let found = local.scan(LocalTable::Desk, &[], usize::MAX);
            self.shelf().put_missing(places_of(&found));
        }
    }

    async fn replicate(&self, case: CaseNumber, id: CommandId) -> Tried {
        let Some(record) = self.record_of(id).filter(|record| record.case == case) else {
            self.shelf().remove(case);
            return Tried::Done;
        };
        let Ok(command) = decode::<Command>(&record.command) else {
            return self
                .set_aside(record, Code::MALFORMED_RECORD, REFUSED_REST)
                .await;
        };
        let order = Order {
            command: command.clone(),
            receipt: None,
        };
        match self.proposer.submit(order).await {
            Ok(done) if known_as(&done.reply) == Some(case) => self.settle(case, id).await,
            // The group has the application under the number it was given first: the receipt of this
            // one is in somebody's hands, and a person must see it.
            Ok(_) => {
                self.set_aside(record, Code::CASE_EXISTS, REFUSED_REST)
                    .await
            }
            // Taken in longer ago than the group remembers ids.
            Err(NodeError::Refused(Refusal::CaseExists)) => {
                self.settle_known(record, &command).await
            }
            Err(NodeError::Refused(refusal)) => {
                let rest = if refusal.is_passing() {
                    self.core.tempo().retry_max
                } else {
                    REFUSED_REST
                };
                self.set_aside(record, refusal.code(), rest).await
            }
            Err(_) => Tried::NotNow,
        }
    }

    /// The record goes once this node's own replica shows the case: until then a question about it, or a
    /// repeat of it, is answered from the record.
    async fn settle(&self, case: CaseNumber, id: CommandId) -> Tried {
        let is_here = self
            .until_case_here(case, self.core.tempo().propose_timeout)
            .await;
        let remove = LocalWrite {
            table: LocalTable::Desk,
            key: id.0.0.to_vec(),
            value: None,
        };
        if !is_here || self.write(vec![remove]).await.is_err() {
            return Tried::NotNow;
        }
        self.shelf().remove(case);
        self.counters.replicated();
        Tried::Done
    }

    /// The group has a case of this number: this very one, or the number was given twice, which a
    /// person must see.
    async fn settle_known(&self, record: DeskRecord, command: &Command) -> Tried {
        let case = record.case;
        let is_here = self
            .until_case_here(case, self.core.tempo().propose_timeout)
            .await;
        if !is_here {
            return Tried::NotNow;
        }
        match self.is_same(case, command) {
            Ok(true) => self.settle(case, record.id).await,
            Ok(false) => {
                self.set_aside(record, Code::CASE_EXISTS, REFUSED_REST)
                    .await
            }
            Err(_) => Tried::NotNow,
        }
    }

    /// Keeps why the group refuses it, where people see it, and lets it rest.
    async fn set_aside(&self, record: DeskRecord, code: Code, rest: Duration) -> Tried {
        let case = record.case;
        if record.refused != Some(code) && rest >= REFUSED_REST {
            tracing::warn!(%case, %code, "the group refuses what the desk took in; it is tried again");
            let kept = put(&DeskRecord {
                refused: Some(code),
                ..record
            });
            if self.write(vec![kept]).await.is_err() {
                return Tried::NotNow;
            }
        }
        let until = instant::<P::Runtime>() + rest;
        let shown = (rest >= REFUSED_REST).then_some(code);
        self.shelf().rest(case, shown, until);
        Tried::SetAside
    }
}
