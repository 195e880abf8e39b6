//! The handle above the seam: starts the transport, sends requests, reads counters, shuts down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use libp2p::identity::Keypair;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tongban_runtime::seams::{Lane, Service, Transport, TransportError};
use tongban_types::NodeId;
use tongban_types::limits::FRAME_BYTES_MAX;

use crate::behaviour::Shared;
use crate::config::{NetConfig, NetError, Tuning};
use crate::directory::{Directory, DirectoryInForce};
use crate::driver::Driver;
use crate::inlets::Inlets;
use crate::links::{LinkReport, Links, NoStream, Order, Orders};
use crate::metrics::{Counters, LaneCounters, NetMetrics};
use crate::outlets::Outlets;
use crate::pending::{Outcome, Pending};
use crate::tasks::Tasks;

/// Longest time to live of a request; also keeps the wire's 32 bits of milliseconds.
const TTL_MAX: Duration = Duration::from_hours(1);

/// The link to one enrolled peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerLink {
    /// The libp2p name of its transport key.
    pub peer_id: String,
    /// How the link stands.
    pub report: LinkReport,
    /// Requests to it that wait or are under way.
    pub queue: usize,
    /// Its requests refused here since the start because it asked for more than its share.
    pub over_quota: u64,
}

/// Requests between enrolled nodes over QUIC or TCP. Dropping it ends all its tasks.
#[derive(Debug)]
pub struct Libp2pTransport {
    me: NodeId,
    shared: Shared,
    outlets: Outlets,
    orders: Orders,
}

impl Libp2pTransport {
    /// Starts the transport with the default bounds, inside a tokio runtime, and returns where it
    /// takes connections, in the order of `config.listen`.
    pub async fn start(config: NetConfig) -> Result<(Self, Vec<SocketAddr>), NetError> {
        Self::start_tuned(config, Tuning::default()).await
    }

    /// Starts the transport with bounds of one's own.
    pub async fn start_tuned(
        mut config: NetConfig,
        tuning: Tuning,
    ) -> Result<(Self, Vec<SocketAddr>), NetError> {
        let keypair = Keypair::ed25519_from_bytes(&mut config.identity)
            .expect("32 bytes are an Ed25519 seed");
        let local = keypair.public().to_peer_id();
        let enrolled = config.peers.identity_of(config.me);
        let named = config.peers.node_of(&local);
        if enrolled.is_some_and(|key| key != local) || named.is_some_and(|node| node != config.me) {
            return Err(NetError::OwnKey { me: config.me });
        }

        let (orders, inbox) = mpsc::unbounded_channel();
        let tasks = Arc::new(Tasks::new(tokio::runtime::Handle::current()));
        let counters = Arc::new(Counters::default());
        let shared = Shared {
            directory: Arc::new(DirectoryInForce::new(config.peers)),
            links: Arc::new(Links::new(orders.clone(), tuning.backoff())),
            inlets: Arc::new(Inlets::new(
                Arc::clone(&tasks),
                Arc::clone(&counters),
                tuning,
            )),
            counters,
            tasks,
            tuning,
        };
        let transport = Self::with(config.me, shared.clone(), orders);
        let mut driver = Box::new(Driver::new(&keypair, shared, config.quic, inbox));
        let mut bound = Vec::with_capacity(config.listen.len());
        for address in config.listen {
            bound.push(driver.listen(address).await?);
        }
        transport
            .shared
            .tasks
            .spawn(async move { driver.run().await });
        tracing::info!(me = %config.me, ?bound, "connections of other nodes are taken");
        Ok((transport, bound))
    }

    fn with(me: NodeId, shared: Shared, orders: Orders) -> Self {
        let outlets = Outlets::new(
            Arc::clone(&shared.links),
            Arc::clone(&shared.counters),
            Arc::clone(&shared.tasks),
            shared.tuning,
        );
        Self {
            me,
            shared,
            outlets,
            orders,
        }
    }

    /// Replaces the set of enrolled peers. Connections of peers no longer in it, or in it with
    /// another key, are closed, and what waits for removed peers ends as lost.
    pub fn set_directory(&self, directory: Directory) {
        self.shared.directory.replace(directory);
        let directory = self.shared.directory.get();
        let is_enrolled = |peer| directory.is_enrolled(peer);
        self.outlets.retain(is_enrolled);
        self.shared.inlets.retain(is_enrolled);
        self.shared.links.retain(is_enrolled);
        // After shutdown there is no connection left to close.
        let _ = self.orders.send(Order::ApplyDirectory);
    }

    /// A reading of all counters.
    pub fn metrics(&self) -> NetMetrics {
        self.shared.counters.read()
    }

    /// The last measured round trip to a connected peer.
    pub fn latency(&self, peer: NodeId) -> Option<Duration> {
        self.shared.links.round_trip(peer)
    }

    /// Every enrolled peer but this node, with the libp2p name of its key and how the link to it stands.
    pub fn links(&self) -> Vec<(NodeId, PeerLink)> {
        let directory = self.shared.directory.get();
        let peers = directory.peers().filter(|(node, _)| *node != self.me);
        peers
            .map(|(node, peer_id)| {
                let link = PeerLink {
                    peer_id,
                    report: self.shared.links.report(node),
                    queue: self.outlets.queue(node),
                    over_quota: self.shared.inlets.over_quota(node),
                };
                (node, link)
            })
            .collect()
    }

    /// Measures one round trip to a peer, dialing it if need be.
    pub async fn ping(&self, peer: NodeId, ttl: Duration) -> Result<Duration, TransportError> {
        if !self.shared.directory.get().is_enrolled(peer) {
            return Err(TransportError::NotEnrolled { peer });
        }
        let echo = async { self.shared.links.connection(peer).await?.ping().await };
        match timeout(ttl, echo).await {
            Ok(Ok(round_trip)) => Ok(round_trip),
            Ok(Err(NoStream)) => Err(TransportError::Unreachable { peer }),
            Err(_) => {
                let after_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
                Err(TransportError::TimedOut { peer, after_ms })
            }
        }
    }

    /// Tasks of the transport under way.
    pub fn tasks(&self) -> usize {
        self.shared.tasks.count()
    }

    /// Returns once a task of the transport has panicked: it can no longer be relied on.
    pub async fn until_failed(&self) -> String {
        self.shared.tasks.until_panic().await;
        "a task of the links panicked".to_owned()
    }

    /// Ends all tasks, closes all connections and frees the ports; later requests are
    /// `Unreachable`.
    pub async fn shut_down(&self) {
        self.shared.tasks.end().await;
        self.outlets.retain(|_| false);
    }

    fn lane(&self, lane: Lane) -> &LaneCounters {
        self.shared.counters.lane(lane)
    }

    async fn ask(
        &self,
        peer: NodeId,
        lane: Lane,
        pending: &Arc<Pending>,
        body: Bytes,
        ttl: Duration,
    ) -> Result<Bytes, TransportError> {
        let deadline = Instant::now() + ttl;
        let Ok(mut ticket) = pending.add(body, deadline) else {
            self.lane(lane).busy.one();
            return Err(TransportError::Busy { peer });
        };
        match timeout_at(deadline, ticket.outcome()).await {
            Ok(Outcome::Answered(answer)) => Ok(answer),
            Ok(Outcome::Refused(code)) => {
                self.lane(lane).refused.one();
                Err(TransportError::Refused { peer, code })
            }
            Ok(Outcome::Lost) => Err(TransportError::Unreachable { peer }),
            Ok(Outcome::Unclear) => Err(TransportError::Unclear { peer }),
            Err(_) => {
                self.lane(lane).timed_out.one();
                if ticket.is_written() {
                    let after_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
                    return Err(TransportError::TimedOut { peer, after_ms });
                }
                Err(TransportError::Unreachable { peer })
            }
        }
    }
}

impl Transport for Libp2pTransport {
    /// Requests of one (peer, lane) are sent in the order in which their futures are first polled.
    /// Before a request was sent, time that runs out or a connection that ends is `Unreachable`;
    /// afterwards it is `TimedOut` or `Unclear`.
    async fn request(
        &self,
        peer: NodeId,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> Result<Bytes, TransportError> {
        if body.len() > FRAME_BYTES_MAX {
            return Err(TransportError::TooLarge {
                bytes: body.len(),
                bytes_max: FRAME_BYTES_MAX,
            });
        }
        if !self.shared.directory.get().is_enrolled(peer) {
            return Err(TransportError::NotEnrolled { peer });
        }
        let Some(pending) = self.outlets.pending(peer, lane) else {
            return Err(TransportError::Unreachable { peer });
        };
        self.ask(peer, lane, &pending, body, ttl.min(TTL_MAX)).await
    }

    fn serve(&self, service: Arc<dyn Service>) {
        self.shared.inlets.serve(service);
    }

    fn connected(&self) -> Vec<NodeId> {
        self.shared.links.connected()
    }
}

impl Drop for Libp2pTransport {
    fn drop(&mut self) {
        self.shared.tasks.abort();
    }
}
