//! Requests to other nodes and their answers. Every request above this seam is safe to repeat;
//! `TimedOut` and `Unclear` alone leave open whether the other side acted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tongban_types::{Code, NodeId};

/// Kinds of traffic. Each (peer, lane) is one long-lived stream of pipelined requests, so that a
/// snapshot never stands in front of a heartbeat. Numbers are permanent; new ones are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Lane {
    /// Raft: append entries. Calls reach the service in the order they were sent.
    RaftAppend = 0,
    /// Raft: votes, pre-votes, heartbeats, leader transfer.
    RaftControl = 1,
    /// Raft: pieces of a snapshot.
    RaftSnapshot = 2,
    /// Command batches submitted to a leader, and read barriers.
    Submit = 3,
    /// Voters' signatures over batches of parcels.
    Certify = 4,
    /// Certified parcels from group to group.
    Parcel = 5,
    /// Case keys between the nodes of a case's parties.
    Keys = 6,
    /// Ranges of files between the nodes of a case's parties.
    File = 7,
}

impl Lane {
    /// All lanes, in number order.
    pub const ALL: [Self; 8] = [
        Self::RaftAppend,
        Self::RaftControl,
        Self::RaftSnapshot,
        Self::Submit,
        Self::Certify,
        Self::Parcel,
        Self::Keys,
        Self::File,
    ];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RaftAppend => "raft-append",
            Self::RaftControl => "raft-control",
            Self::RaftSnapshot => "raft-snapshot",
            Self::Submit => "submit",
            Self::Certify => "certify",
            Self::Parcel => "parcel",
            Self::Keys => "keys",
            Self::File => "file",
        }
    }

    /// The lane of a number on the wire.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| *lane as u16 == number)
    }
}

/// Why a request brought no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TransportError {
    /// No connection to the peer now, and nothing was sent; a later try may succeed.
    #[error("{peer} cannot be reached")]
    Unreachable {
        /// The peer.
        peer: NodeId,
    },
    /// No answer in time. Whether the request was carried out is not known.
    #[error("{peer} did not answer in {after_ms} ms")]
    TimedOut {
        /// The peer.
        peer: NodeId,
        /// The time to live that ran out.
        after_ms: u64,
    },
    /// The connection broke after the request was sent: the peer may have carried it out.
    #[error("the connection to {peer} broke before it answered")]
    Unclear {
        /// The peer.
        peer: NodeId,
    },
    /// Too many requests under way to this peer; nothing was sent.
    #[error("too many requests under way to {peer}")]
    Busy {
        /// The peer.
        peer: NodeId,
    },
    /// The body is larger than a frame may be; nothing was sent.
    #[error("a frame of {bytes} bytes is larger than {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The peer is not enrolled in the registry.
    #[error("{peer} is not enrolled")]
    NotEnrolled {
        /// The peer.
        peer: NodeId,
    },
    /// The peer answered that it refuses, with a code that `explain` describes.
    #[error("{peer} refused: {code}")]
    Refused {
        /// The peer.
        peer: NodeId,
        /// Why.
        code: Code,
    },
}

impl TransportError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::PEER_UNREACHABLE,
            Self::TimedOut { .. } | Self::Unclear { .. } => Code::PEER_TIMED_OUT,
            Self::Busy { .. } => Code::PEER_BUSY,
            Self::TooLarge { .. } => Code::TOO_LARGE,
            Self::NotEnrolled { .. } => Code::PEER_NOT_ENROLLED,
            Self::Refused { code, .. } => *code,
        }
    }
}

/// What answers inbound requests: the node. `Err(code)` travels back as `Refused`.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Answers one request of an authenticated, enrolled peer.
    async fn call(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code>;
}

/// Carries requests between enrolled nodes over authenticated, encrypted links.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and waits at most `ttl` for its answer.
    fn request(
        &self,
        peer: NodeId,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<Bytes, TransportError>> + Send;

    /// Hands every inbound request to `service`; called once, before the first request.
    fn serve(&self, service: Arc<dyn Service>);

    /// The peers with a live connection, sorted.
    fn connected(&self) -> Vec<NodeId>;
}
