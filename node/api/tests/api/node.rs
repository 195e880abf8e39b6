//! A node that records what it is asked and answers as it was told to. How it answers is in `handle`.

mod handle;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};
use tongban_runtime::ports::{GroupStatus, Placement};
use tongban_runtime::{
    Act, Application, Change, ChangePlace, DocumentList, GroupReport, NodeError, NodeReport,
    OpenedCase, Wait,
};
use tongban_trust::Registry;
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_types::{
    Actor, CaseNumber, CaseState, CaseVersion, CommandId, GroupId, NodeId, Signed,
};

use crate::case::{number, opened};

/// How long it takes where it lags.
pub(crate) const CATCHES_UP_IN: Duration = Duration::from_secs(4);

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
    /// Whether it shows no case before somebody is to act on one.
    pub(crate) lags: AtomicBool,
    /// How long whoever acted last had waited before, as it was told.
    pub(crate) waited: Mutex<Duration>,
    /// Whether its state is being filled from a snapshot.
    pub(crate) is_filling: AtomicBool,
    /// An order is carried out only once this says so.
    disk: Semaphore,
    /// Orders carried out.
    done: watch::Sender<usize>,
    rung: Notify,
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
            lags: AtomicBool::new(false),
            waited: Mutex::default(),
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
