//! What the API shows of the links to other nodes. How they are made is known elsewhere: the daemon puts
//! an implementation in.

use std::time::Duration;

use async_trait::async_trait;
use tongban_types::{Code, NodeId};

/// The links of the node.
#[async_trait]
pub trait PeerLinks: Send + Sync {
    /// Every enrolled peer but this node, by node.
    fn peers(&self) -> Vec<PeerLink>;

    /// Measures one round trip, dialing the peer if need be; else the code that says why there is none.
    async fn ping(&self, node: NodeId) -> Result<Duration, Code>;
}

/// The link to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerLink {
    /// Which.
    pub node: NodeId,
    /// The libp2p name of its transport key.
    pub peer_id: String,
    /// How the link stands.
    pub state: PeerState,
    /// The last measured round trip, while connected.
    pub round_trip: Option<Duration>,
    /// What went wrong last, and how long ago.
    pub last_error: Option<(Code, Duration)>,
    /// Requests to it that wait or are under way.
    pub queue: usize,
    /// Its requests refused here since the start because it asked for more than its share.
    pub over_quota: u64,
    /// Protocols a connection with it speaks.
    pub protocols: Vec<String>,
}

/// How a link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Open, and the peer answers on it.
    Connected {
        /// What it runs on.
        carrier: &'static str,
        /// For how long.
        since: Duration,
    },
    /// Being dialed.
    Dialing,
    /// Dialed in vain.
    Waiting {
        /// Until it is dialed again, if somebody wants it.
        next_dial: Duration,
    },
    /// Nobody wanted anything of the peer yet.
    Idle,
}
