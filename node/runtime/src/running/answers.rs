//! What a running node answers whoever asks it: the API, the command line, the simulator.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tongban_machine::{
    DocumentList, Movement, form_of, issued_document, list_cases, load_case, movements,
    registry_bytes,
};
use tongban_trust::Registry;
use tongban_types::{
    Actor, Attachment, CaseNumber, CaseState, CaseVersion, CommandId, GroupId, NodeId, Package,
};

use super::RunningNode;
use super::standing::has_quorum;
use crate::attachments::Attachments;
use crate::desk::SALT_BYTES;
use crate::feed::{ChangePlace, Changes};
use crate::groups::Groups;
use crate::handle::{
    Act, Acted, Application, CasePage, Collected, GroupReport, NodeError, NodeHandle, NodeHealth,
    NodeReport, OpenedCase, OpenedMovement, StoredCase, Wait,
};
use crate::replica::Replica;
use crate::seams::{Platform, Transport};

/// Steps of a case that are shown.
const HISTORY_MAX: usize = 200;

impl<P: Platform> RunningNode<P> {
    fn own_replica(&self) -> Result<Arc<Replica<P>>, NodeError> {
        self.core
            .own()
            .map(|own| own.replica.clone())
            .ok_or(NodeError::NoQuorum)
    }
}

/// The form of an opened package, and its files.
fn opened(text: Option<Vec<u8>>) -> (Option<Vec<u8>>, Vec<Attachment>) {
    match text.map(|text| Package::of_text(&text)) {
        Some(Ok(package)) => (Some(package.form), package.attachments),
        // Sealed by a later version of this program.
        Some(Err(_)) | None => (None, Vec::new()),
    }
}

#[async_trait]
impl<P: Platform> NodeHandle for RunningNode<P> {
    fn node(&self) -> NodeId {
        self.core.me
    }

    async fn collect(
        &self,
        actor: Actor,
        id: CommandId,
        application: Application,
        wait: Wait,
    ) -> Result<Collected, NodeError> {
        self.collect_with_files(actor, id, application, wait).await
    }

    async fn act(
        &self,
        actor: Actor,
        id: CommandId,
        case: CaseNumber,
        expected: CaseVersion,
        act: Act,
        waited: Duration,
    ) -> Result<Acted, NodeError> {
        let due = self.core.answer_due(waited);
        self.act_with_files(actor, id, case, expected, act, &due)
            .await
    }

    fn attachments(&self) -> &dyn Attachments {
        self
    }

    fn groups(&self) -> &dyn Groups {
        self
    }

    fn case(&self, number: CaseNumber) -> Result<OpenedCase, NodeError> {
        let replica = self.own_replica()?;
        let (record, steps, form, document) = replica.read(|view| {
            (
                load_case(view, number),
                movements(view, number, HISTORY_MAX),
                form_of(view, number),
                issued_document(view, number),
            )
        })?;
        if record.is_none() {
            let waiting = self
                .desk
                .open_stored(number)
                .ok_or(NodeError::NoSuchCase(number))?;
            let (form, attachments) = opened(waiting.form);
            return Ok(OpenedCase {
                record: None,
                stored: Some(waiting.stored),
                number,
                history: Vec::new(),
                form,
                attachments,
                document: None,
                receipt: Some(waiting.receipt),
            });
        }
        let open_text = |sealed: &tongban_types::Sealed| {
            String::from_utf8(self.vault.open_sealed(number, sealed)?).ok()
        };
        let history = steps
            .into_iter()
            .map(|movement| {
                let words = movement.words.as_ref().and_then(open_text);
                OpenedMovement { movement, words }
            })
            .collect();
        let form = form
            .and_then(|sealed| self.vault.open_sealed(number, &sealed))
            .and_then(|salted| salted.get(SALT_BYTES..).map(<[u8]>::to_vec));
        let (form, attachments) = opened(form);
        let document = document.as_ref().and_then(open_text);
        let receipt = self.desk.receipt_of(number)?;
        Ok(OpenedCase {
            record,
            stored: None,
            number,
            history,
            form,
            attachments,
            document,
            receipt,
        })
    }

    async fn case_to_correct(&self, number: CaseNumber) -> Result<OpenedCase, NodeError> {
        let due = self.core.answer_due(Duration::ZERO);
        self.core
            .ask_of_case(&due, || self.readable_case(number))
            .await
    }

    fn cases(
        &self,
        state: Option<CaseState>,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, NodeError> {
        let listing = self.own_replica()?.read(|view| match state {
            Some(state) => tongban_machine::cases_in_state(view, state, from, limit),
            None => list_cases(view, from, limit),
        })?;
        Ok(CasePage {
            cases: listing.cases,
            next: listing.next,
        })
    }

    fn cases_with_document(
        &self,
        list: Option<DocumentList>,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, NodeError> {
        let listing = self
            .own_replica()?
            .read(|view| tongban_machine::cases_with_document(view, list, from, limit))?;
        Ok(CasePage {
            cases: listing.cases,
            next: listing.next,
        })
    }

    fn steps_behind(
        &self,
        number: CaseNumber,
        version: CaseVersion,
        limit: usize,
    ) -> Result<Vec<(CaseVersion, Movement)>, NodeError> {
        let replica = self.own_replica()?;
        Ok(replica.read(|view| tongban_machine::steps_behind(view, number, version, limit))?)
    }

    fn place(&self) -> Result<ChangePlace, NodeError> {
        let index = self.own_replica()?.applied_index();
        let part = u32::MAX;
        Ok(ChangePlace { index, part })
    }

    fn changes(&self, after: ChangePlace, limit: usize) -> Result<Changes, NodeError> {
        Ok(self.own_replica()?.changes(after, limit)?)
    }

    async fn until_changed(&self, behind: ChangePlace, patience: Duration) {
        let Ok(replica) = self.own_replica() else {
            return self.core.rest(patience).await;
        };
        let mut changed = replica.changed().listen();
        changed.mark();
        if replica.applied_index() <= behind.index {
            changed.heard(patience).await;
        }
    }

    fn stored_cases(&self, after: Option<CaseNumber>, limit: usize) -> Vec<StoredCase> {
        self.desk.stored_cases(after, limit)
    }

    async fn catch_up(&self) -> Result<(), NodeError> {
        self.core.catch_up_own().await
    }

    fn registry(&self) -> Option<Arc<Registry>> {
        Some(self.core.registry())
    }

    fn registry_file(&self) -> Option<Vec<u8>> {
        let in_log = self.own_replica().ok()?.read(registry_bytes).ok().flatten();
        in_log.or_else(|| Some(self.core.settings.registry_file.clone()))
    }

    fn report(&self) -> NodeReport {
        let own = GroupId(self.core.city());
        let mut groups: Vec<GroupReport> = self
            .core
            .groups()
            .map(|(id, hosted)| self.report_group(id, &hosted))
            .collect();
        groups.sort_by_key(|report| (report.group != own, report.group));
        let (desk_waiting, desk_refused) = self.desk.waiting();
        NodeReport {
            node: self.core.me,
            groups,
            connected: self.core.transport.connected(),
            desk_waiting,
            desk_refused,
            case_keys: self.vault.count(),
            registry: self.core.registry().version(),
            refused_to_peers: self.core.refusals.read(),
            relayed: self.core.relayed.load(Ordering::Relaxed),
            draining: self.core.is_draining(),
            failed: self.core.failure().is_some(),
        }
    }

    fn health(&self) -> NodeHealth {
        let own = self.core.own();
        let status = own.as_ref().map(|own| own.group.status());
        NodeHealth {
            failed: self.core.failure().is_some(),
            draining: self.core.is_draining(),
            runs_own_group: status.as_ref().is_some_and(|own| !own.stopped),
            has_quorum: status.is_some_and(|own| has_quorum(self.core.me, &own)),
            is_filling: own.is_some_and(|own| own.replica.is_filling()),
        }
    }

    fn set_draining(&self, draining: bool) {
        let was = self.core.draining.swap(draining, Ordering::AcqRel);
        if was != draining {
            tracing::info!(node = %self.core.me, draining, "the node is drained, or serves again");
        }
    }

    fn connected(&self) -> Vec<NodeId> {
        self.core.transport.connected()
    }

    async fn until_failed(&self) -> String {
        self.core.until_failed().await
    }
}
