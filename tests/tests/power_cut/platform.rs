//! The seams of a node that was left by a power cut: the daemon's own disk, clock and randomness,
//! sled, keys in memory; no peers, and a group that never has a leader.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use openraft_rt_tokio::TokioRuntime;
use tongban_runtime::KeyRing;
use tongban_runtime::ports::{Arranged, Group, GroupStatus, HandOverError, ProposeError};
use tongban_runtime::seams::{Lane, Platform, Service, Transport, TransportError};
use tongban_store::SledStore;
use tongban_types::{Code, GroupId, NodeId};

#[path = "../../../node/daemon/src/platform/clock.rs"]
mod clock;
#[path = "../../../node/daemon/src/platform/disk.rs"]
#[expect(dead_code, reason = "nobody here asks how long syncs took")]
mod disk;
#[path = "../../../node/daemon/src/platform/entropy.rs"]
mod entropy;

pub(crate) use clock::SystemClock;
pub(crate) use disk::FileDisk;
pub(crate) use entropy::OsEntropy;

/// The daemon's platform, without its links.
#[derive(Debug)]
pub(crate) struct AlonePlatform;

impl Platform for AlonePlatform {
    type Runtime = TokioRuntime;
    type Clock = SystemClock;
    type Entropy = OsEntropy;
    type Transport = NoPeers;
    type Disk = FileDisk;
    type Store = SledStore;
    type Signer = KeyRing;
}

/// Links to nobody.
#[derive(Debug)]
pub(crate) struct NoPeers;

impl Transport for NoPeers {
    async fn request(
        &self,
        peer: NodeId,
        _lane: Lane,
        _body: Bytes,
        _ttl: Duration,
    ) -> Result<Bytes, TransportError> {
        Err(TransportError::Unreachable { peer })
    }

    fn serve(&self, _service: Arc<dyn Service>) {}

    fn connected(&self) -> Vec<NodeId> {
        Vec::new()
    }
}

/// A group whose other voters are away.
#[derive(Debug)]
pub(crate) struct Leaderless(pub(crate) GroupId);

#[async_trait]
impl Group for Leaderless {
    fn id(&self) -> GroupId {
        self.0
    }

    fn status(&self) -> GroupStatus {
        GroupStatus::default()
    }

    async fn propose(&self, _entry: Bytes, _timeout: Duration) -> Result<Bytes, ProposeError> {
        Err(ProposeError::NotLeader { leader: None })
    }

    async fn propose_order(&self, entry: Bytes, timeout: Duration) -> Result<Bytes, ProposeError> {
        self.propose(entry, timeout).await
    }

    async fn arrange(&self, _timeout: Duration) -> Result<Arranged, ProposeError> {
        Err(ProposeError::NotLeader { leader: None })
    }

    fn admit(&self, _replicas: BTreeSet<NodeId>) {}

    async fn read_index(&self, _timeout: Duration) -> Result<u64, ProposeError> {
        Err(ProposeError::NotLeader { leader: None })
    }

    async fn wait_applied(&self, _index: u64, _timeout: Duration) -> Result<(), ProposeError> {
        Err(ProposeError::TimedOut)
    }

    async fn changed(&self, timeout: Duration) -> GroupStatus {
        tokio::time::sleep(timeout).await;
        GroupStatus::default()
    }

    async fn stopped(&self) -> String {
        std::future::pending().await
    }

    async fn handle(&self, _peer: NodeId, _lane: Lane, _body: Bytes) -> Result<Bytes, Code> {
        Err(Code::NO_QUORUM)
    }

    async fn trigger_snapshot(&self) -> Result<(), ProposeError> {
        Ok(())
    }

    async fn transfer_leader(&self, _to: NodeId) -> Result<(), HandOverError> {
        Err(HandOverError::NotLeader { leader: None })
    }

    async fn shut_down(&self) {}
}
