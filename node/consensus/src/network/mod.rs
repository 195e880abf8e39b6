//! How a replica asks its peers: openraft's network over the lanes of the transport. Entries go over
//! one ordered lane and several requests are under way at once; heartbeats, votes and hand-overs go
//! over another, so that no entry ever stands before them; snapshots over a third.

mod append_stream;
mod failure;
mod peer;
mod snapshot_sender;

use std::sync::Arc;
use std::time::Duration;

use openraft::{AsyncRuntime, EmptyNode, RaftNetworkFactory};
use tongban_runtime::seams::{Lane, Transport};
use tongban_types::GroupId;

use crate::fitness::Muted;
use crate::raft_types::Types;
use peer::Peer;

/// Makes the clients of one group.
pub(crate) struct Network<T> {
    /// How requests travel.
    pub(crate) transport: Arc<T>,
    /// The group.
    pub(crate) group: GroupId,
    /// This node.
    pub(crate) me: u64,
    /// How long the sync of a follower's log may hold up its answer to an append.
    pub(crate) append_patience: Duration,
    /// Whether appends and heartbeats are kept back now.
    pub(crate) muted: Muted,
}

impl<T> Network<T> {
    fn peer(&self, to: u64, append_lane: Lane) -> Peer<T> {
        Peer {
            transport: Arc::clone(&self.transport),
            group: self.group,
            me: self.me,
            to,
            append_lane,
            append_patience: self.append_patience,
            muted: self.muted.clone(),
        }
    }
}

impl<R: AsyncRuntime, T: Transport> RaftNetworkFactory<Types<R>> for Network<T> {
    type Network = Peer<T>;

    async fn new_client(&mut self, target: u64, _node: &EmptyNode) -> Peer<T> {
        self.peer(target, Lane::RaftAppend)
    }

    async fn new_heartbeat_client(&mut self, target: u64, _node: &EmptyNode) -> Peer<T> {
        self.peer(target, Lane::RaftControl)
    }
}
