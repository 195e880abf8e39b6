//! A node that records what it is asked and answers as it was told to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};

use async_trait::async_trait;
use tongban_runtime::ports::{GroupStatus, Members, Placement};
use tongban_runtime::{
    Act, Acted, Application, CasePage, CaseRecord, Change, ChangePlace, Changes, Collected,
    DecisionRecord, DocumentList, DocumentStage, GroupReport, Groups, Movement, NodeError,
    NodeHandle, NodeHealth, NodeReport, OpenedCase, OpenedMovement, PlacementPlan, Refusal,
    Standpoint, StoredCase, Wait,
};
use tongban_trust::Registry;
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_types::{
    Actor, CaseEnvelope, CaseNumber, CaseState, CaseVersion, Channel, Code, CommandId, Decision,
    DueTime, GroupId, HandlingMode, Hash, ItemVersion, NodeId, PersonId, PlacementOrder, PublicKey,
    Receipt, ReceiptBody, ReplicatedReceipt, Role, Signature, Signed, encode,
};

/// What the node was asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Place(Signed),
    HandOver(GroupId, NodeId),
    Collect(Actor, CommandId, Application, Wait),
    Act(Actor, CommandId, CaseNumber, CaseVersion, Act),
    CatchUp,
    Cases(Option<CaseState>, Option<CaseNumber>, usize),
    Documents(Option<DocumentList>, Option<CaseNumber>, usize),
}

pub(crate) struct RecordingNode {
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// What it answers instead of doing anything.
    pub(crate) refusal: Mutex<Option<NodeError>>,
    /// Whether its group answers in time.
    pub(crate) has_quorum: Mutex<bool>,
    /// The one case there is.
    pub(crate) case: Mutex<OpenedCase>,
    pub(crate) report: Mutex<NodeReport>,
    registry: Mutex<Option<Arc<Registry>>>,
    /// Where an order placed its own group, if one did.
    pub(crate) placed: Mutex<Option<Placement>>,
    changes: Mutex<Vec<(ChangePlace, Change)>>,
    pub(crate) held_from: AtomicU64,
    /// Whether a page of its list is always followed by another.
    pub(crate) is_endless: AtomicBool,
    /// Whether its state is being filled from a snapshot.
    pub(crate) is_filling: AtomicBool,
    /// An order is carried out only once this says so.
    disk: Semaphore,
    /// Orders carried out.
    done: watch::Sender<usize>,
    rung: Notify,
}

/// A case that waits at the desk because its item is not in the group's catalogue yet.
pub(crate) fn stored_case() -> StoredCase {
    let envelope = record().envelope;
    StoredCase {
        number: envelope.number,
        item: envelope.item,
        authority: envelope.authority,
        channel: envelope.channel,
        collected_at: envelope.collected_at,
        collected_by: envelope.collected_by,
        refused: Some(Code::UNKNOWN_ITEM),
    }
}

pub(crate) fn number() -> CaseNumber {
    let node = SampleFederation::node(0);
    CaseNumber::new(node.city(), SAMPLE_NOW.china_day(), node.number(), 1).unwrap()
}

pub(crate) fn item() -> ItemVersion {
    ItemVersion {
        code: "000109900001".parse().unwrap(),
        version: 1,
    }
}

fn receipt_body() -> ReceiptBody {
    ReceiptBody {
        case: number(),
        item: item(),
        authority: SampleFederation::city(4),
        collected_at: SAMPLE_NOW,
        form: Hash([7; 32]),
        node: SampleFederation::node(0),
    }
}

pub(crate) fn stored_receipt() -> Receipt {
    Receipt::Stored(Signed {
        signer: PublicKey([1; 32]),
        signature: Signature([2; 64]),
        bytes: encode(&receipt_body()),
    })
}

pub(crate) fn replicated_receipt() -> Receipt {
    Receipt::Replicated(ReplicatedReceipt {
        signer: PublicKey([1; 32]),
        signature: Signature([2; 64]),
        body: encode(&receipt_body()),
        index: 1,
        count: 2,
        path: vec![Hash([3; 32])],
    })
}

fn clerk() -> Actor {
    Actor {
        city: SampleFederation::city(0),
        person: PersonId::new("lin").unwrap(),
        role: Role::Clerk,
    }
}

pub(crate) fn record() -> CaseRecord {
    CaseRecord {
        envelope: CaseEnvelope {
            number: number(),
            item: item(),
            item_file: Hash([3; 32]),
            mode: HandlingMode::CollectedElsewhere,
            intake: SampleFederation::city(0),
            authority: SampleFederation::city(4),
            authority_division: "610502".parse().unwrap(),
            subject: Hash([9; 32]),
            channel: Channel::Window,
            collected_at: SAMPLE_NOW,
            collected_by: clerk(),
            form: Hash([7; 32]),
        },
        standpoint: Standpoint::Mirror,
        state: CaseState::CorrectionAsked,
        version: CaseVersion(3),
        since: SAMPLE_NOW,
        transfers: 1,
        transfer_refused: None,
        received_at: Some(SAMPLE_NOW),
        noticed_at: Some(SAMPLE_NOW),
        notice_from: SAMPLE_NOW,
        in_log_at: SAMPLE_NOW,
        notice_due: Some(DueTime {
            at: SAMPLE_NOW,
            provisional: true,
            calendar: 1,
        }),
        accepted: None,
        review: None,
        decision: None,
        promise_due: None,
        statutory_due: None,
        document: DocumentStage::None,
        pending: None,
        request_refused: None,
        form: Hash([7; 32]),
    }
}

/// The same case, granted, with its document.
pub(crate) fn granted() -> CaseRecord {
    CaseRecord {
        state: CaseState::Granted,
        decision: Some(DecisionRecord {
            at: SAMPLE_NOW,
            by: clerk(),
            decision: Decision::Grant,
        }),
        document: DocumentStage::Issued {
            hash: Hash([1; 32]),
        },
        ..record()
    }
}

fn opened() -> OpenedCase {
    let movement = Movement {
        state: CaseState::CorrectionAsked,
        at: SAMPLE_NOW,
        committed_at: SAMPLE_NOW,
        actor: clerk(),
        words: None,
    };
    let words = Some("请补交结婚证".to_owned());
    OpenedCase {
        record: Some(record()),
        stored: None,
        number: number(),
        history: vec![OpenedMovement { movement, words }],
        form: Some(crate::world::FORM.as_bytes().to_vec()),
        attachments: Vec::new(),
        document: None,
        receipt: Some(stored_receipt()),
    }
}

impl RecordingNode {
    pub(crate) fn new() -> Self {
        let group = |place: usize| GroupReport {
            group: GroupId(SampleFederation::city(place)),
            status: GroupStatus {
                leader: Some(SampleFederation::node(place)),
                ..GroupStatus::default()
            },
            time: SAMPLE_NOW,
            cases: 1,
            unanswered: 0,
            refused: BTreeMap::new(),
            evidence: 0,
            in_touch: 3,
            has_quorum: true,
            can_lose: 1,
            diverged: false,
        };
        Self {
            asked: Mutex::default(),
            refusal: Mutex::default(),
            has_quorum: Mutex::new(true),
            case: Mutex::new(opened()),
            report: Mutex::new(NodeReport {
                node: SampleFederation::node(0),
                groups: vec![group(0), group(5)],
                connected: vec![SampleFederation::node(1)],
                desk_waiting: 0,
                desk_refused: 0,
                case_keys: 1,
                registry: 1,
                refused_to_peers: BTreeMap::new(),
                relayed: 0,
                draining: false,
                failed: false,
            }),
            changes: Mutex::default(),
            held_from: AtomicU64::new(0),
            is_endless: AtomicBool::new(false),
            is_filling: AtomicBool::new(false),
            disk: Semaphore::new(1),
            done: watch::Sender::new(0),
            rung: Notify::new(),
            registry: Mutex::new(Some(Arc::new(SampleFederation::six_cities().registry))),
            placed: Mutex::default(),
        }
    }

    pub(crate) fn refuse(&self, refusal: impl Into<NodeError>) {
        *self.refusal.lock().unwrap() = Some(refusal.into());
    }

    pub(crate) fn forget_registry(&self) {
        *self.registry.lock().unwrap() = None;
    }

    /// Something changes: entry by entry, one case each.
    pub(crate) fn change(&self, state: CaseState) {
        let mut changes = self.changes.lock().unwrap();
        let index = changes.last().map_or(0, |(place, _)| place.index) + 1;
        let change = Change {
            case: number(),
            version: CaseVersion(u32::try_from(index).unwrap()),
            state,
            since: SAMPLE_NOW,
        };
        changes.push((ChangePlace { index, part: 1 }, change));
        drop(changes);
        self.rung.notify_waiters();
    }

    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// Keeps the disk from answering until its permit is given back.
    pub(crate) fn stall_disk(&self) -> SemaphorePermit<'_> {
        self.disk.try_acquire().unwrap()
    }

    /// Waits until so many orders were carried out.
    pub(crate) async fn until_done(&self, orders: usize) {
        let mut done = self.done.subscribe();
        done.wait_for(|done| *done >= orders).await.unwrap();
    }

    async fn carry_out(&self) {
        drop(self.disk.acquire().await.unwrap());
        self.done.send_modify(|done| *done += 1);
    }

    fn note(&self, asked: Asked) -> Result<(), NodeError> {
        self.asked.lock().unwrap().push(asked);
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

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
    ) -> Result<Acted, NodeError> {
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
        if case == number() {
            Ok(self.case.lock().unwrap().clone())
        } else {
            Err(NodeError::NoSuchCase(case))
        }
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
            registry: self.registry().map(|registry| registry.version()),
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

    fn plan(&self, order: &PlacementOrder) -> Result<PlacementPlan, NodeError> {
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
