//! A Raft group on this node: started over the node's log and a replicated state, then proposed to,
//! asked, and stopped through the runtime's `Group`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::{AsyncRuntime, Raft, ReadPolicy};
use tongban_runtime::ports::{
    Arranged, Group, GroupStatus, HandOverError, ProposeError, ReplicatedState,
};
use tongban_runtime::seams::{Disk, Lane, Transport};
use tongban_types::limits::FRAME_BYTES_MAX;
use tongban_types::{Code, GroupId, NodeId};
use tongban_wal::Wal;

use crate::arranging::Arranger;
use crate::bootstrap::{stands_first, write_first_entry};
use crate::changes::Changes;
use crate::config::GroupConfig;
use crate::error::StartError;
use crate::fitness::{Fitness, Muted};
use crate::network::Network;
use crate::raft_types::Proposal;
use crate::refusal;
use crate::service::{Core, Service};
use crate::status::{Metrics, may_lead, status_of, until};
use crate::storage::{LogStore, StateMachine};

/// The largest entry: what a frame between nodes holds, less room for heads.
const ENTRY_BYTES_MAX: usize = FRAME_BYTES_MAX - 64 * 1024;

/// One group as this node takes part in it.
pub struct RaftGroup<R: AsyncRuntime> {
    config: GroupConfig,
    muted: Muted,
    core: Core<R>,
    service: Service<R>,
    arranger: Arranger<R>,
}

impl<R: AsyncRuntime> std::fmt::Debug for RaftGroup<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RaftGroup")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<R: AsyncRuntime + Send + Sync> RaftGroup<R> {
    /// Takes up the group where this node left it, or begins it. To be called within the runtime;
    /// afterwards [`Group::handle`] must be given what peers ask.
    pub async fn start<T, D>(
        config: GroupConfig,
        transport: Arc<T>,
        wal: Wal<R, D>,
        state: Arc<dyn ReplicatedState>,
    ) -> Result<Arc<Self>, StartError>
    where
        T: Transport,
        D: Disk,
    {
        let settings = config.raft()?;
        let log = LogStore::new(wal, config.group, config.append_bytes_max);
        let machine = StateMachine::open(
            Arc::clone(&state),
            log.durable(),
            config.snapshot_every_entries,
        )?;
        let is_fresh = log.is_fresh();
        if is_fresh && (machine.has_applied() || state.current_snapshot().is_some()) {
            return Err(StartError::LogLost);
        }
        if is_fresh {
            write_first_entry(&config, &log).await?;
        }
        let muted = Muted::default();
        let network = Network {
            transport,
            group: config.group,
            me: config.me.as_u64(),
            append_patience: Duration::from_millis(config.election_ms_min),
            muted: muted.clone(),
        };
        let durable = log.durable();
        let changes = Changes::new(&config, Box::new(log.clone()), Arc::clone(&state));
        let starting = Raft::new(config.me.as_u64(), settings, network, log, machine);
        let core = Box::pin(starting)
            .await
            .map_err(|fatal| StartError::Storage(fatal.to_string()))?;
        if is_fresh && stands_first(&config) {
            // Should the core stop meanwhile, `stopped` says so.
            let _stopped = core.trigger().elect(true).await;
        }
        let fitness = Fitness::new(config.clone(), core.clone(), durable, muted.clone());
        drop(R::spawn(fitness.watch()));
        let in_touch = Duration::from_millis(config.election_ms_max);
        let arranger = Arranger::new(config.me, in_touch, core.clone(), Arc::clone(&state));
        let founding = config.replicas();
        let service = Service::new(config.group, founding, changes, core.clone(), state);
        Ok(Arc::new(Self {
            config,
            muted,
            core,
            service,
            arranger,
        }))
    }

    fn in_touch(&self) -> Duration {
        Duration::from_millis(self.config.election_ms_max)
    }
}

#[async_trait]
impl<R: AsyncRuntime + Send + Sync> Group for RaftGroup<R> {
    fn id(&self) -> GroupId {
        self.config.group
    }

    fn status(&self) -> GroupStatus {
        let hears_leader = self.service.hears_leader(self.in_touch());
        let metrics = self.core.metrics();
        status_of(&metrics.borrow_watched(), self.in_touch(), hears_leader)
    }

    async fn propose(&self, entry: Bytes, timeout: Duration) -> Result<Bytes, ProposeError> {
        if entry.len() > ENTRY_BYTES_MAX {
            // It would stand in every follower's way for ever.
            return Err(ProposeError::TooLarge {
                bytes: entry.len(),
                bytes_max: ENTRY_BYTES_MAX,
            });
        }
        if self.muted.is_set() && self.status().leader == Some(self.config.me) {
            return Err(ProposeError::NotLeader { leader: None });
        }
        match R::timeout(timeout, self.core.client_write(Proposal(entry))).await {
            Ok(Ok(written)) => Ok(written.data),
            Ok(Err(error)) => Err(refusal::of_write(error)),
            Err(_late) => Err(ProposeError::TimedOut),
        }
    }

    async fn propose_order(&self, entry: Bytes, timeout: Duration) -> Result<Bytes, ProposeError> {
        let proposing = self.propose(entry, timeout);
        self.arranger.with_order(proposing, timeout).await
    }

    async fn arrange(&self, timeout: Duration) -> Result<Arranged, ProposeError> {
        self.arranger.step(timeout).await
    }

    fn admit(&self, replicas: BTreeSet<NodeId>) {
        self.service.admit(replicas);
    }

    async fn read_index(&self, timeout: Duration) -> Result<u64, ProposeError> {
        let confirmed = self.core.get_read_linearizer(ReadPolicy::ReadIndex);
        match R::timeout(timeout, confirmed).await {
            Ok(Ok(read)) => Ok(read.read_log_id().log_id().index()),
            Ok(Err(error)) => Err(refusal::of_read(error)),
            Err(_late) => Err(ProposeError::TimedOut),
        }
    }

    async fn wait_applied(&self, index: u64, timeout: Duration) -> Result<(), ProposeError> {
        until::<R, _>(self.core.metrics(), timeout, |seen| {
            let applied = seen.last_applied.is_some_and(|id| id.index() >= index);
            applied.then_some(())
        })
        .await
    }

    async fn changed(&self, timeout: Duration) -> GroupStatus {
        let key = |status: &GroupStatus| (status.leader, status.term, status.applied_index);
        let before = key(&self.status());
        let in_touch = self.in_touch();
        let change = until::<R, _>(self.core.metrics(), timeout, |seen| {
            let status = status_of(seen, in_touch, self.service.hears_leader(in_touch));
            (status.stopped || key(&status) != before).then_some(status)
        });
        match change.await {
            Ok(status) => status,
            Err(_late_or_stopped) => self.status(),
        }
    }

    async fn stopped(&self) -> String {
        why_stopped::<R>(self.core.metrics()).await
    }

    async fn handle(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
        self.service.answer(peer, lane, body).await
    }

    async fn trigger_snapshot(&self) -> Result<(), ProposeError> {
        let triggered = self.core.trigger().snapshot().await;
        triggered.map_err(|_fatal| ProposeError::Stopped)
    }

    async fn transfer_leader(&self, to: NodeId) -> Result<(), HandOverError> {
        may_lead(&self.core.metrics().borrow_watched(), to, self.in_touch())?;
        if to == self.config.me {
            return Ok(());
        }
        let triggered = self.core.trigger().transfer_leader(to.as_u64()).await;
        triggered.map_err(|_fatal| HandOverError::Stopped)
    }

    async fn shut_down(&self) {
        if let Err(error) = self.core.shutdown().await {
            tracing::error!(group = %self.config.group, %error, "the group's task did not end well");
        }
    }
}

/// Waits until a group ends.
async fn why_stopped<R: AsyncRuntime>(mut metrics: Metrics<R>) -> String {
    loop {
        if let Err(fatal) = &metrics.borrow_and_update().running_state {
            return fatal.to_string();
        }
        if metrics.changed().await.is_err() {
            // Only a panic ends the core without a word.
            return "the task of the group is gone".to_owned();
        }
    }
}
