//! The Transport seam over libp2p: QUIC, or TCP with Noise and Yamux, between enrolled nodes, one
//! long-lived stream a peer, lane and direction, requests pipelined on it. What the bodies mean is not known
//! here, and no other crate knows libp2p.
//!
//! Streams are opened by a connection handler of our own (`handler`) and not by `libp2p-stream`:
//! its alpha drops a second inbound stream that arrives before the first is taken, dials without
//! backoff, and picks one of several connections at random.

mod allowance;
mod backoff;
mod behaviour;
mod carrier;
mod config;
mod dials;
mod directory;
mod driver;
mod frame;
mod handler;
mod handshakes;
mod inlets;
mod keepalive;
mod links;
mod metrics;
mod outlets;
mod pending;
mod protocols;
mod quota;
mod reader;
mod tasks;
mod transport;
mod writer;

pub use carrier::Carrier;
pub use config::{NetConfig, NetError, Tuning};
pub use directory::{Directory, Peer};
pub use links::{LinkError, LinkReport, LinkState};
pub use metrics::{Denial, LaneMetrics, NetMetrics};
pub use protocols::protocols;
pub use transport::{Libp2pTransport, PeerLink};
