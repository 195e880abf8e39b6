//! A running node: its parts put to work, and what it shows of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use openraft_rt::{AsyncRuntime, Mutex as _};
use tongban_machine::{
    DocumentList, Movement, form_of, ground, issued_document, list_cases, load_case, movements,
    registry_bytes, unanswered,
};
use tongban_trust::Registry;
use tongban_types::{
    Actor, Attachment, CaseNumber, CaseState, CaseVersion, CommandId, GroupId, NodeId, Package,
    SealingPublicKey,
};

use crate::acts::Acts;
use crate::attachments::{Attachments, Files};
use crate::backup::BackupSource;
use crate::blob_store::BlobStore;
use crate::core::{Core, Hosted, NodeSettings, RouteRaft};
use crate::courier::Courier;
use crate::desk::{Desk, SALT_BYTES};
use crate::feed::{ChangePlace, Changes};
use crate::gauges::{NodeGauges, read_gauges};
use crate::groups::Groups;
use crate::handle::{
    Act, Acted, Application, CasePage, Collected, GroupReport, NodeError, NodeHandle, NodeHealth,
    NodeReport, OpenedCase, OpenedMovement, StoredCase, Wait,
};
use crate::opener::GroupOpener;
use crate::placing::run_placing;
use crate::ports::{GroupStatus, LocalLog, LogFailed};
use crate::proposer::Proposer;
use crate::refusals::Refusals;
use crate::replica::Replica;
use crate::seams::{Platform, StateStore, Transport};
use crate::shown_placements::ShownPlacements;
use crate::signal::Signal;
use crate::steward::Steward;
use crate::switchboard::Switchboard;
use crate::telling::run_telling;
use crate::timekeeper::run_timekeeper;
use crate::told::Told;
use crate::vault::Vault;

/// Steps of a case that are shown.
const HISTORY_MAX: usize = 200;

/// Unanswered packets that are counted; beyond it the report says this many.
const UNANSWERED_COUNT_MAX: usize = 10_000;

/// What a node is made of, before its groups.
pub struct RuntimeParts<P: Platform> {
    /// What it is told.
    pub settings: NodeSettings,
    /// Its civil clock.
    pub clock: Arc<P::Clock>,
    /// Its randomness.
    pub entropy: Arc<P::Entropy>,
    /// Its links.
    pub transport: Arc<P::Transport>,
    /// Its keys.
    pub signer: Arc<P::Signer>,
    /// Its applied state.
    pub store: Arc<P::Store>,
    /// Its large files.
    pub blobs: Arc<dyn BlobStore>,
    /// Its own records.
    pub local: Arc<dyn LocalLog>,
    /// How Raft requests name their group.
    pub route_raft: RouteRaft,
}

impl<P: Platform> std::fmt::Debug for RuntimeParts<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeParts")
            .field("me", &self.settings.me)
            .finish_non_exhaustive()
    }
}

/// A node at work.
pub struct RunningNode<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    pub(crate) acts: Acts<P>,
    pub(crate) desk: Arc<Desk<P>>,
    steward: Arc<Steward<P>>,
    pub(crate) files: Arc<Files<P>>,
    store: Arc<P::Store>,
    /// The groups whose tasks run: they go on, idle, for one this node left.
    tended: Mutex<BTreeSet<GroupId>>,
}

impl<P: Platform> std::fmt::Debug for RunningNode<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningNode")
            .field("me", &self.core.me)
            .finish_non_exhaustive()
    }
}

impl<P: Platform> RunningNode<P> {
    /// Opens desk and vault and answers peers from now on, though it hosts no group yet.
    pub async fn prepare(parts: RuntimeParts<P>) -> Result<Arc<Self>, LogFailed> {
        let RuntimeParts {
            settings,
            clock,
            entropy,
            transport,
            signer,
            store,
            blobs,
            local,
            route_raft,
        } = parts;
        let me = settings.me;
        let vault = Vault::open(
            me,
            local.clone(),
            entropy.clone(),
            clock.clone(),
            signer.clone(),
            settings.forms,
        );
        let vault = Arc::new(vault.await?);
        let core = Arc::new(Core::<P> {
            me,
            settings,
            clock,
            entropy,
            transport,
            signer,
            local,
            hosted: RwLock::default(),
            shown_placements: ShownPlacements::default(),
            placed: Signal::new(),
            told_gate: <P::Runtime as AsyncRuntime>::Mutex::new(()),
            entering: Mutex::default(),
            route_raft,
            refusals: Refusals::default(),
            relayed: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            failure: OnceLock::new(),
            failing: Signal::new(),
        });
        let proposer = Arc::new(Proposer::start(core.clone()));
        let desk = Arc::new(Desk::new(core.clone(), vault.clone(), proposer.clone()));
        let acts = Acts {
            core: core.clone(),
            vault: vault.clone(),
            proposer: proposer.clone(),
        };
        let steward = Steward::new(core.clone(), vault.clone(), proposer);
        let files = Arc::new(Files::new(core.clone(), vault.clone(), desk.clone(), blobs));
        let switchboard = Switchboard {
            core: core.clone(),
            vault: vault.clone(),
            files: files.clone(),
        };
        core.transport.serve(Arc::new(switchboard));
        Ok(Arc::new(Self {
            core,
            vault,
            acts,
            desk,
            steward: Arc::new(steward),
            files,
            store,
            tended: Mutex::default(),
        }))
    }

    pub(crate) fn core(&self) -> &Arc<Core<P>> {
        &self.core
    }

    /// Takes its groups up and starts what runs by itself; with `opener` also groups that are placed on
    /// this node later.
    pub fn run(
        self: &Arc<Self>,
        hosted: BTreeMap<GroupId, Hosted<P>>,
        opener: Option<Arc<dyn GroupOpener<P>>>,
    ) {
        for (group, hosted) in hosted {
            self.take_up(group, hosted);
        }
        if let Some(opener) = opener {
            let running = self.clone();
            self.core.keep("moving", running.run_moving(opener));
        }
        self.core.keep("desk", self.desk.clone().run());
        self.core.keep("steward", self.steward.clone().run());
        self.core.keep("keys", self.steward.clone().run_keys());
        self.core.keep("files", self.files.clone().run());
        let flushing = keep_flushing(self.core.clone(), self.store.clone());
        self.core.keep("flusher", flushing);
    }

    /// Tends a group from now on.
    pub(crate) fn take_up(&self, group: GroupId, hosted: Hosted<P>) {
        let core = &self.core;
        if let Some(told) = Told::read(&*core.local, group) {
            hosted.group.admit(told.replicas());
        }
        core.set_hosted(group, Some(hosted));
        core.spawn("group watch", core.clone().watch_group(group));
        let mut tended = self.tended.lock().unwrap_or_else(PoisonError::into_inner);
        if !tended.insert(group) {
            return;
        }
        core.keep("timekeeper", run_timekeeper(core.clone(), group));
        core.keep("placing", run_placing(core.clone(), group));
        core.keep("telling", run_telling(core.clone(), group));
        let courier = Courier::new(core.clone(), self.vault.clone(), group);
        core.keep("courier", Arc::new(courier).run());
    }

    /// Ends what runs by itself and stops its groups.
    pub async fn stop(&self) {
        self.core.stopping.store(true, Ordering::Release);
        for (_, hosted) in self.core.groups() {
            hosted.group.shut_down().await;
        }
        if let Err(error) = self.store.flush().await {
            tracing::warn!(%error, "the last flush failed; the state is replayed from the log");
        }
    }

    /// What the node measures of itself, for metrics.
    pub fn gauges(&self) -> NodeGauges {
        read_gauges(&self.core, &self.desk)
    }

    /// What a backup of this node is made of, sealed to `recovery`, with these files of its data folder.
    pub fn backup_source(
        &self,
        recovery: SealingPublicKey,
        files: Vec<(String, Vec<u8>)>,
    ) -> BackupSource<P> {
        let core = &self.core;
        BackupSource {
            node: core.me,
            recovery,
            local: core.local.clone(),
            replicas: core
                .groups()
                .map(|(_, hosted)| hosted.replica.clone())
                .collect(),
            files,
            signer: core.signer.clone(),
            entropy: core.entropy.clone(),
            clock: core.clock.clone(),
        }
    }

    fn own_replica(&self) -> Result<Arc<Replica<P>>, NodeError> {
        self.core
            .own()
            .map(|own| own.replica.clone())
            .ok_or(NodeError::NoQuorum)
    }

    fn report_group(&self, id: GroupId, hosted: &Hosted<P>) -> GroupReport {
        let status = hosted.group.status();
        let here = hosted.replica.read(ground).unwrap_or_default();
        let waiting = hosted
            .replica
            .read(|view| unanswered(view, None, UNANSWERED_COUNT_MAX).len())
            .unwrap_or(0);
        let connected = self.core.transport.connected();
        let in_touch = in_touch(self.core.me, &status, &connected);
        let has_quorum = has_quorum(self.core.me, &status);
        GroupReport {
            group: id,
            time: here.time,
            cases: here.cases,
            unanswered: waiting,
            refused: hosted.replica.refused(),
            evidence: here.evidence,
            in_touch,
            has_quorum,
            can_lose: if has_quorum {
                in_touch.saturating_sub(majority(&status))
            } else {
                0
            },
            diverged: hosted.replica.has_diverged(),
            status,
        }
    }
}

/// Voters of a group in touch with its leader, or as this replica sees them.
fn in_touch(me: NodeId, status: &GroupStatus, connected: &[NodeId]) -> usize {
    if status.leader == Some(me) && !status.stopped {
        return status.voters_in_touch;
    }
    let is_up = |voter: &&NodeId| {
        if **voter == me {
            !status.stopped
        } else {
            connected.contains(voter)
        }
    };
    status.voters.iter().filter(is_up).count()
}

fn majority(status: &GroupStatus) -> usize {
    status.voters.len() / 2 + 1
}

/// A follower goes by its leader's word, while it hears it: it need not be connected to the other followers.
fn has_quorum(me: NodeId, status: &GroupStatus) -> bool {
    match status.leader {
        _ if status.stopped => false,
        None => false,
        Some(leader) if leader == me => status.voters_in_touch >= majority(status),
        Some(_) => status.hears_leader,
    }
}

/// Applied state is made durable now and then, only to shorten the replay after a restart.
async fn keep_flushing<P: Platform>(core: Arc<Core<P>>, store: Arc<P::Store>) {
    while !core.is_stopping() {
        core.rest(core.tempo().flush_every).await;
        if let Err(error) = store.flush().await {
            core.fail(format!("applied state cannot be made durable: {error}"));
            return;
        }
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
    ) -> Result<Acted, NodeError> {
        self.act_with_files(actor, id, case, expected, act).await
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
            registry: Some(self.core.registry().version()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<NodeId> {
        let city = "350100".parse().unwrap();
        (1..=3)
            .map(|number| NodeId::new(city, number).unwrap())
            .collect()
    }

    fn led_by(leader: Option<usize>) -> GroupStatus {
        GroupStatus {
            leader: leader.map(|place| nodes()[place]),
            hears_leader: matches!(leader, Some(1..)),
            voters: nodes(),
            voters_in_touch: if leader == Some(0) { 3 } else { 0 },
            ..GroupStatus::default()
        }
    }

    fn figures(status: &GroupStatus, connected: &[NodeId]) -> (usize, bool) {
        let me = nodes()[0];
        (in_touch(me, status, connected), has_quorum(me, status))
    }

    #[test]
    fn a_leader_counts_who_answers_it_and_a_follower_whom_it_is_connected_to() {
        assert_eq!(figures(&led_by(Some(0)), &[]), (3, true));
        assert_eq!(figures(&led_by(Some(1)), &nodes()[1..]), (3, true));
        assert_eq!(figures(&led_by(Some(1)), &nodes()[1..2]), (2, true));
    }

    #[test]
    fn a_leader_alone_a_leader_not_heard_and_none_are_no_quorum() {
        let alone = GroupStatus {
            voters_in_touch: 1,
            ..led_by(Some(0))
        };
        assert_eq!(figures(&alone, &nodes()[1..]), (1, false));
        let silent = GroupStatus {
            hears_leader: false,
            ..led_by(Some(1))
        };
        assert_eq!(figures(&silent, &nodes()[1..]), (3, false));
        assert_eq!(figures(&led_by(None), &nodes()[1..]), (3, false));
    }

    #[test]
    fn a_stopped_replica_is_not_in_touch_and_knows_of_no_quorum() {
        for leader in [Some(0), Some(1)] {
            let stopped = GroupStatus {
                stopped: true,
                ..led_by(leader)
            };
            assert_eq!(figures(&stopped, &nodes()[1..]), (2, false));
        }
    }
}
