//! A running node: its parts put to work, and stopped. What it answers whoever asks it, and how a group
//! stands as it sees it, is in the rooms below.

mod answers;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use openraft_rt::{AsyncRuntime, Mutex as _};
use tongban_types::{GroupId, SealingPublicKey};

use crate::acts::Acts;
use crate::attachments::Files;
use crate::backup::BackupSource;
use crate::blob_store::BlobStore;
use crate::core::{Core, Hosted, NodeSettings, RouteRaft};
use crate::courier::Courier;
use crate::desk::Desk;
use crate::gauges::{NodeGauges, read_gauges};
use crate::opener::GroupOpener;
use crate::placing::run_placing;
use crate::ports::{LocalLog, LogFailed};
use crate::proposer::Proposer;
use crate::refusals::Refusals;
use crate::seams::{Platform, StateStore, Transport};
use crate::shown_placements::ShownPlacements;
use crate::signal::Signal;
use crate::steward::Steward;
use crate::switchboard::Switchboard;
use crate::telling::run_telling;
use crate::timekeeper::run_timekeeper;
use crate::told::Told;
use crate::vault::Vault;

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
