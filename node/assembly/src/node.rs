//! Starting and stopping a node.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_consensus::group_of;
use tongban_runtime::seams::Platform;
use tongban_runtime::{
    BackupSource, BlobStore, NodeGauges, NodeHandle, NodeSettings, RunningNode, RuntimeParts,
    Witness,
};
use tongban_types::SealingPublicKey;
use tongban_wal::{Wal, WalConfig, WalMetrics};

use crate::error::StartError;
use crate::founding::{founding_governance, settle_founding};
use crate::hosting::Hosting;
use crate::tempo::RaftTempo;

/// What a node is put together from.
pub struct NodeParts<P: Platform> {
    /// What it is told.
    pub settings: NodeSettings,
    /// Its files.
    pub disk: P::Disk,
    /// Its applied state.
    pub store: Arc<P::Store>,
    /// Its large files.
    pub blobs: Arc<dyn BlobStore>,
    /// Its links.
    pub transport: Arc<P::Transport>,
    /// Its civil clock.
    pub clock: Arc<P::Clock>,
    /// Its randomness.
    pub entropy: Arc<P::Entropy>,
    /// Its keys.
    pub signer: Arc<P::Signer>,
    /// Sizes of its log.
    pub wal: WalConfig,
    /// Times of its groups.
    pub raft: RaftTempo,
    /// Who is told of each applied entry.
    pub witness: Option<Arc<dyn Witness>>,
}

impl<P: Platform> std::fmt::Debug for NodeParts<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeParts")
            .field("me", &self.settings.me)
            .finish_non_exhaustive()
    }
}

/// A node, started.
pub struct Node<P: Platform> {
    running: Arc<RunningNode<P>>,
    wal: Wal<P::Runtime, P::Disk>,
}

impl<P: Platform> std::fmt::Debug for Node<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

impl<P: Platform> Node<P> {
    /// Opens the log and every group this node takes part in, and goes to work. A node that is placed
    /// nowhere waits to be.
    pub async fn start(parts: NodeParts<P>) -> Result<Self, StartError> {
        let me = parts.settings.me;
        let registry = parts.settings.registry.clone();
        let begun_with = founding_governance(&parts.settings);
        let wal = Wal::<P::Runtime, P::Disk>::open(parts.disk.clone(), parts.wal).await?;
        let genesis = settle_founding(&wal, begun_with).await?;
        let running = RunningNode::prepare(RuntimeParts {
            settings: parts.settings,
            clock: parts.clock,
            entropy: parts.entropy,
            transport: parts.transport.clone(),
            signer: parts.signer,
            store: parts.store.clone(),
            blobs: parts.blobs,
            local: Arc::new(wal.clone()),
            route_raft: group_of,
        })
        .await?;
        let hosting = Hosting::<P> {
            me,
            genesis,
            store: parts.store,
            disk: parts.disk,
            transport: parts.transport,
            wal: wal.clone(),
            raft: parts.raft,
            witness: parts.witness,
        };
        let mut hosted = BTreeMap::new();
        for group in hosting.groups(&registry) {
            hosted.insert(group, hosting.open_group(group, &registry).await?);
        }
        running.run(hosted, Some(Arc::new(hosting)));
        Ok(Self { running, wal })
    }

    /// What the API, the command line and the tests ask.
    pub fn handle(&self) -> Arc<dyn NodeHandle> {
        self.running.clone()
    }

    /// What the node measures of itself.
    pub fn gauges(&self) -> NodeGauges {
        self.running.gauges()
    }

    /// What a backup of this node is made of, sealed to `recovery`, with these files of its data folder.
    pub fn backup_source(
        &self,
        recovery: SealingPublicKey,
        files: Vec<(String, Vec<u8>)>,
    ) -> BackupSource<P> {
        self.running.backup_source(recovery, files)
    }

    /// Counters of the log.
    pub fn log_metrics(&self) -> WalMetrics {
        self.wal.metrics()
    }

    /// Stops the groups, makes the applied state durable, and closes the log, so that damage to its
    /// end is told from a torn write at the next start.
    pub async fn shut_down(&self) {
        self.running.stop().await;
        if let Err(error) = self.wal.close().await {
            tracing::warn!(%error, "the log could not be closed");
        }
    }
}
