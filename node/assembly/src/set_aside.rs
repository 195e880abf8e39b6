//! A group whose replica differs from the majority's and was stopped for it. It takes part in nothing, across
//! every restart, and says so, while the node goes on with its other groups.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tongban_runtime::ports::{Arranged, Group, GroupStatus, HandOverError, ProposeError};
use tongban_runtime::seams::Lane;
use tongban_types::{Code, GroupId, NodeId};

/// The group as a node shows it that does not take part in it any more.
#[derive(Debug)]
pub(crate) struct SetAside {
    pub(crate) group: GroupId,
    pub(crate) voters: Vec<NodeId>,
    pub(crate) applied_index: u64,
    pub(crate) reason: String,
}

#[async_trait]
impl Group for SetAside {
    fn id(&self) -> GroupId {
        self.group
    }

    fn status(&self) -> GroupStatus {
        GroupStatus {
            voters: self.voters.clone(),
            applied_index: self.applied_index,
            stopped: true,
            ..GroupStatus::default()
        }
    }

    async fn propose(&self, _entry: Bytes, _timeout: Duration) -> Result<Bytes, ProposeError> {
        // Nothing is appended here, so nothing can come of it.
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

    async fn wait_applied(&self, index: u64, _timeout: Duration) -> Result<(), ProposeError> {
        if index <= self.applied_index {
            Ok(())
        } else {
            Err(ProposeError::Stopped)
        }
    }

    async fn changed(&self, _timeout: Duration) -> GroupStatus {
        self.status()
    }

    async fn stopped(&self) -> String {
        self.reason.clone()
    }

    async fn handle(&self, _peer: NodeId, _lane: Lane, _body: Bytes) -> Result<Bytes, Code> {
        Err(Code::GROUP_STOPPED)
    }

    async fn trigger_snapshot(&self) -> Result<(), ProposeError> {
        Err(ProposeError::Stopped)
    }

    async fn transfer_leader(&self, _to: NodeId) -> Result<(), HandOverError> {
        Err(HandOverError::NotLeader { leader: None })
    }

    async fn shut_down(&self) {}
}
