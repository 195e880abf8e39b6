//! What the transport is started with, its bounds with their reasons, and why it does not start.

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use tongban_types::{Code, NodeId};

use crate::backoff::Backoff;
use crate::directory::Directory;

/// What a node's transport is started with.
pub struct NetConfig {
    /// This node.
    pub me: NodeId,
    /// Seed of its Ed25519 key of role transport (RFC 8032); wiped when the transport has started.
    pub identity: [u8; 32],
    /// Where to take connections; port 0 lets the system choose. Empty: only dial.
    pub listen: Vec<SocketAddr>,
    /// Whether QUIC is spoken beside TCP, on the same port number by UDP.
    pub quic: bool,
    /// Who is enrolled.
    pub peers: Directory,
}

impl std::fmt::Debug for NetConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetConfig")
            .field("me", &self.me)
            .field("listen", &self.listen)
            .field("quic", &self.quic)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}

/// Bounds of the transport. The defaults are what a node runs with; tests make them small.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Requests under way on one (peer, lane). 1024 fill a line of 50 ms at 20,000 requests/s;
    /// more would only wait, so they are refused as `Busy`.
    pub requests_max: usize,
    /// Bytes of requests under way on one (peer, lane): four frames of the largest size.
    pub request_bytes_max: usize,
    /// Requests of one (peer, lane) being answered at once, however often the peer opens its stream
    /// again; beyond it the stream is not read, so the peer feels the pressure.
    pub calls_max: usize,
    /// Bytes of requests of one (peer, lane) being answered at once: four of the largest frames.
    pub call_bytes_max: usize,
    /// Bytes of answers to one (peer, lane) that wait to be written, as many; while more wait, no
    /// further request is begun.
    pub answer_bytes_max: usize,
    /// Requests of one peer being answered at once on all lanes but Raft's; more are refused with
    /// `PEER_OVER_QUOTA`. As many as two full lanes.
    pub calls_of_peer_max: usize,
    /// Bytes of requests a second from one peer, on all lanes: half of what a line of a gigabit carries,
    /// so that one peer leaves room for the others.
    pub peer_bytes_per_second: u64,
    /// How much a peer that was quiet may send at once, as time at that rate.
    pub peer_burst: Duration,
    /// A peer over its rate is read this much more slowly before it is refused.
    pub quota_wait_max: Duration,
    /// Longest wait before dialing again after one failure: a peer that restarts is found soon.
    pub dial_wait_first: Duration,
    /// Longest wait before dialing again ever: a peer that was away an hour is found in seconds.
    pub dial_wait_max: Duration,
    /// Dials under way at once: each costs two sockets and a handshake. After a cut of many lines heals
    /// the others wait their turn.
    pub dials_max: usize,
    /// Of these, dials of peers whose last dial failed: dials that run into nothing last until
    /// `handshake_timeout` and must not keep peers waiting that were never tried.
    pub dials_again_max: usize,
    /// For a handshake, QUIC's or TCP, Noise and Yamux together: several round trips over the worst
    /// line.
    pub handshake_timeout: Duration,
    /// For opening one stream on a live connection.
    pub stream_timeout: Duration,
    /// Between two keepalives of a connection.
    pub keepalive_interval: Duration,
    /// Silence after a keepalive that makes a connection count as dead. Any frame breaks the
    /// silence, so that a line full of snapshot does not look dead.
    pub keepalive_timeout: Duration,
    /// Silence on a QUIC connection after which the peer's machine is asked by TCP whether its node is
    /// down: longer than an echo takes on the worst line.
    pub probe_after: Duration,
    /// Connections in handshake that others opened, of each carrier: each costs a socket and about
    /// 0.3 ms of arithmetic before it shows who it is.
    pub pending_max: usize,
    /// The same from one address, so that one machine cannot take all of them.
    pub pending_per_address_max: usize,
    /// The same from addresses at which no node is enrolled, and over QUIC, whose first datagram
    /// proves no address: the rest is kept for those that are, or strangers could keep them out.
    pub pending_of_strangers_max: usize,
    /// Connections after the handshake: two each with 400 cities and room for those closing.
    pub established_max: usize,
    /// Connections after the handshake with one peer: one in each direction, and old ones that
    /// linger while they close.
    pub established_per_peer_max: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            requests_max: 1024,
            request_bytes_max: 16 * 1024 * 1024,
            calls_max: 256,
            call_bytes_max: 16 * 1024 * 1024,
            answer_bytes_max: 16 * 1024 * 1024,
            calls_of_peer_max: 512,
            peer_bytes_per_second: 64 * 1024 * 1024,
            peer_burst: Duration::from_secs(1),
            quota_wait_max: Duration::from_secs(1),
            dial_wait_first: Duration::from_millis(100),
            dial_wait_max: Duration::from_secs(10),
            dials_max: 64,
            dials_again_max: 48,
            handshake_timeout: Duration::from_secs(10),
            stream_timeout: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(1),
            keepalive_timeout: Duration::from_secs(6),
            probe_after: Duration::from_secs(1),
            pending_max: 256,
            pending_per_address_max: 64,
            pending_of_strangers_max: 128,
            established_max: 1024,
            established_per_peer_max: 8,
        }
    }
}

impl Tuning {
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff {
            first: self.dial_wait_first,
            cap: self.dial_wait_max,
        }
    }
}

/// Why the transport does not start, or a directory is not one.
#[derive(Debug, Error)]
pub enum NetError {
    /// An enrolled key is no point of the curve.
    #[error("the transport key of {node} is not an Ed25519 public key")]
    MalformedKey {
        /// Whose key.
        node: NodeId,
    },
    /// Two nodes are enrolled with one key: the link could not tell them apart.
    #[error("{first} and {second} are enrolled with the same transport key")]
    SharedKey {
        /// One of them.
        first: NodeId,
        /// The other.
        second: NodeId,
    },
    /// The private key is not the one whose public half is enrolled for this node.
    #[error("the transport key of this machine is not the one enrolled for {me}")]
    OwnKey {
        /// This node.
        me: NodeId,
    },
    /// No connections can be taken there: the port is in use, or the address is another machine's.
    #[error("connections cannot be taken at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl NetError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::MalformedKey { .. } => Code::TRANSPORT_KEY_MALFORMED,
            Self::SharedKey { .. } => Code::TRANSPORT_KEY_SHARED,
            Self::OwnKey { .. } => Code::TRANSPORT_KEY_NOT_ENROLLED,
            Self::Listen { .. } => Code::CANNOT_LISTEN,
        }
    }
}
