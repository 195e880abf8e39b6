//! What the recording node answers: what it was told to, or what there is of its one case.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use tongban_runtime::ports::{Members, Placement};
use tongban_runtime::{
    Act, Acted, Application, CasePage, ChangePlace, Changes, Collected, DocumentList, Groups,
    Movement, NodeError, NodeHandle, NodeHealth, NodeReport, OpenedCase, PlacementPlan, Refusal,
    StoredCase, Wait,
};
use tongban_trust::Registry;
use tongban_trust::testing::SampleFederation;
use tongban_types::{
    Actor, CaseNumber, CaseState, CaseVersion, CommandId, GroupId, NodeId, PlacementOrder, Signed,
};

use super::{Asked, CATCHES_UP_IN, RecordingNode};
use crate::case::{granted, number, record, replicated_receipt, stored_case, stored_receipt};

#[async_trait]
impl NodeHandle for RecordingNode {
    fn node(&self) -> NodeId {
        SampleFederation::node(0)
    }

    async fn collect(
        &self,
        actor: Actor,
        id: CommandId,
        application: Application,
        wait: Wait,
    ) -> Result<Collected, NodeError> {
        let repeated = self
            .asked
            .lock()
            .unwrap()
            .iter()
            .any(|asked| matches!(asked, Asked::Collect(_, known, ..) if *known == id));
        self.note(Asked::Collect(actor, id, application, wait))?;
        self.carry_out().await;
        let is_replicated = wait == Wait::Replicated && *self.has_quorum.lock().unwrap();
        Ok(Collected {
            case: number(),
            receipt: if is_replicated {
                replicated_receipt()
            } else {
                stored_receipt()
            },
            repeated,
        })
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
        *self.waited.lock().unwrap() = waited;
        self.note(Asked::Act(actor, id, case, expected, act))?;
        self.carry_out().await;
        if case != number() {
            return Err(NodeError::NoSuchCase(case));
        }
        let actual = record().version;
        if expected != actual {
            return Err(Refusal::StaleVersion { expected, actual }.into());
        }
        Ok(Acted {
            case,
            version: expected.next(),
            state: CaseState::Corrected,
            repeated: false,
        })
    }

    fn groups(&self) -> &dyn Groups {
        self
    }

    fn attachments(&self) -> &dyn tongban_runtime::Attachments {
        self
    }

    fn case(&self, case: CaseNumber) -> Result<OpenedCase, NodeError> {
        if case == number() && !self.lags.load(Ordering::SeqCst) {
            Ok(self.case.lock().unwrap().clone())
        } else {
            Err(NodeError::NoSuchCase(case))
        }
    }

    async fn case_to_correct(&self, case: CaseNumber) -> Result<OpenedCase, NodeError> {
        if self.lags.swap(false, Ordering::SeqCst) {
            tokio::time::sleep(CATCHES_UP_IN).await;
        }
        self.case(case)
    }

    fn cases(
        &self,
        state: Option<CaseState>,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, NodeError> {
        self.note(Asked::Cases(state, from, limit))?;
        Ok(CasePage {
            cases: vec![record()],
            next: (from.is_none() || self.is_endless.load(Ordering::SeqCst)).then(number),
        })
    }

    fn cases_with_document(
        &self,
        list: Option<DocumentList>,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, NodeError> {
        self.note(Asked::Documents(list, from, limit))?;
        Ok(CasePage {
            cases: vec![granted()],
            next: (from.is_none() || self.is_endless.load(Ordering::SeqCst)).then(number),
        })
    }

    fn steps_behind(
        &self,
        case: CaseNumber,
        version: CaseVersion,
        limit: usize,
    ) -> Result<Vec<(CaseVersion, Movement)>, NodeError> {
        let opened = self.case(case)?;
        let steps = (1..).map(CaseVersion).zip(opened.history);
        let steps = steps.map(|(version, opened)| (version, opened.movement));
        Ok(steps
            .filter(|(known, _)| *known > version)
            .take(limit)
            .collect())
    }

    fn place(&self) -> Result<ChangePlace, NodeError> {
        let changes = self.changes.lock().unwrap();
        Ok(changes
            .last()
            .map_or(ChangePlace::default(), |(place, _)| *place))
    }

    fn changes(&self, after: ChangePlace, limit: usize) -> Result<Changes, NodeError> {
        if after.index < self.held_from.load(Ordering::SeqCst) {
            return Ok(Changes::Gone);
        }
        let changes = self.changes.lock().unwrap();
        let behind = changes.iter().filter(|(place, _)| *place > after);
        Ok(Changes::Held(behind.take(limit).copied().collect()))
    }

    async fn until_changed(&self, behind: ChangePlace, patience: Duration) {
        let rung = self.rung.notified();
        if self.place().unwrap() <= behind {
            let _ = tokio::time::timeout(patience, rung).await;
        }
    }

    fn stored_cases(&self, after: Option<CaseNumber>, limit: usize) -> Vec<StoredCase> {
        let stored = after.is_none().then(stored_case);
        stored.into_iter().take(limit).collect()
    }

    async fn catch_up(&self) -> Result<(), NodeError> {
        self.note(Asked::CatchUp)
    }

    fn registry(&self) -> Option<Arc<Registry>> {
        self.registry.lock().unwrap().clone()
    }

    fn registry_file(&self) -> Option<Vec<u8>> {
        let registry = self.registry()?;
        Some(SampleFederation::signed_file((*registry).clone(), 5))
    }

    fn report(&self) -> NodeReport {
        self.report.lock().unwrap().clone()
    }

    fn health(&self) -> NodeHealth {
        let report = self.report();
        let own = report.groups.first();
        NodeHealth {
            failed: report.failed,
            draining: report.draining,
            runs_own_group: own.is_some_and(|own| !own.status.stopped),
            has_quorum: own.is_some_and(|own| own.has_quorum),
            is_filling: self.is_filling.load(Ordering::SeqCst),
        }
    }

    fn set_draining(&self, draining: bool) {
        self.report.lock().unwrap().draining = draining;
    }

    fn connected(&self) -> Vec<NodeId> {
        self.report().connected
    }

    async fn until_failed(&self) -> String {
        std::future::pending().await
    }
}

/// Its own group stands where it began, or where it was placed; of an order it says that one replica comes
/// and one goes.
#[async_trait]
impl Groups for RecordingNode {
    fn placement(&self, group: GroupId) -> Result<Placement, NodeError> {
        if let Some(placed) = self.placed.lock().unwrap().clone() {
            return Ok(placed);
        }
        let registry = self.registry().ok_or(NodeError::NotHosted(group))?;
        Ok(Placement {
            version: 0,
            voters: registry.voters(group).to_vec(),
            learners: Vec::new(),
        })
    }

    async fn plan(&self, order: &PlacementOrder) -> Result<PlacementPlan, NodeError> {
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        let members = Members {
            voter_sets: vec![order.voters.iter().copied().collect()],
            replicas: order.voters.iter().copied().collect(),
        };
        Ok(PlacementPlan {
            steps: vec![members],
            comes_in: [SampleFederation::node(4)].into(),
            goes: [SampleFederation::node(2)].into(),
            tolerates_now: Some(1),
            tolerates_meanwhile: Some(0),
            tolerates_then: Some(1),
            waits_for: [SampleFederation::node(4)].into(),
        })
    }

    async fn order(&self, order: Signed) -> Result<(), NodeError> {
        self.note(Asked::Place(order))
    }

    async fn hand_over(&self, group: GroupId, to: NodeId) -> Result<(), NodeError> {
        self.note(Asked::HandOver(group, to))
    }
}
