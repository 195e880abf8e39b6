//! The state of the link to each peer: its live connections, the dial under way, and when to dial
//! next. Dials only happen when a request wants one, one at a time a peer. Two nodes that dial each
//! other at once keep both connections, one in each direction; that is stable, and either serves.

mod connection;
mod report;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tongban_types::NodeId;

pub(crate) use connection::{Connection, NoStream};
pub use report::{LinkError, LinkReport, LinkState};

use crate::backoff::{Backoff, draw};

/// Orders to the swarm. Unbounded, yet never more than one dial a peer and one close a connection.
pub(crate) type Orders = mpsc::UnboundedSender<Order>;

/// An order to the swarm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// Dial this peer once.
    Dial {
        /// Whom.
        node: NodeId,
        /// Whether the last dial brought nothing.
        again: bool,
    },
    /// Close this connection.
    Close(ConnectionId),
    /// Close the connections of peers that are no longer enrolled.
    ApplyDirectory,
}

/// The links to all peers.
#[derive(Debug)]
pub(crate) struct Links {
    by_peer: Mutex<HashMap<NodeId, Link>>,
    orders: Orders,
    backoff: Backoff,
}

#[derive(Debug, Default)]
struct Link {
    /// In the order they were established, and whether an echo came back on them.
    connections: Vec<(Arc<Connection>, Proof)>,
    dialing: bool,
    failures: u32,
    next_dial: Option<Instant>,
    round_trip: Option<Duration>,
    last_error: Option<(LinkError, Instant)>,
    changes: watch::Sender<()>,
}

/// A peer that denies us lets the handshake pass and then closes; only an echo shows it took us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    Awaited,
    Given,
}

impl Links {
    pub(crate) fn new(orders: Orders, backoff: Backoff) -> Self {
        Self {
            by_peer: Mutex::default(),
            orders,
            backoff,
        }
    }

    /// A connection with the peer: a live one, or the outcome of at most one dial.
    pub(crate) async fn connection(&self, peer: NodeId) -> Result<Arc<Connection>, NoStream> {
        let mut changes = {
            let mut links = self.lock();
            let link = links.entry(peer).or_default();
            if let Some(connection) = link.best() {
                return Ok(connection);
            }
            if !link.dialing {
                if link.next_dial.is_some_and(|at| Instant::now() < at) {
                    return Err(NoStream);
                }
                let dial = Order::Dial {
                    node: peer,
                    again: link.failures > 0,
                };
                self.orders.send(dial).map_err(|_| NoStream)?;
                link.dialing = true;
            }
            link.changes.subscribe()
        };
        loop {
            changes.changed().await.map_err(|_| NoStream)?;
            let links = self.lock();
            let link = links.get(&peer).ok_or(NoStream)?;
            if let Some(connection) = link.best() {
                return Ok(connection);
            }
            if !link.dialing {
                return Err(NoStream);
            }
        }
    }

    /// Takes note of a new connection; `dialed` when our dial brought it.
    pub(crate) fn on_established(&self, peer: NodeId, connection: Arc<Connection>, dialed: bool) {
        let mut links = self.lock();
        let link = links.entry(peer).or_default();
        link.connections.push((connection, Proof::Awaited));
        link.dialing &= !dialed;
        link.changes.send_replace(());
    }

    /// Takes note of an echo, which took `round_trip`.
    pub(crate) fn on_echo(&self, peer: NodeId, id: ConnectionId, round_trip: Duration) {
        self.change(peer, |link| {
            for (connection, proof) in &mut link.connections {
                if connection.id == id {
                    *proof = Proof::Given;
                    link.failures = 0;
                    link.round_trip = Some(round_trip);
                }
            }
        });
    }

    /// Takes note of a dial that brought nothing.
    pub(crate) fn on_dial_failed(&self, peer: NodeId, error: LinkError) {
        let backoff = self.backoff;
        self.change(peer, |link| {
            link.last_error = Some((error, Instant::now()));
            link.dialing = false;
            link.wait(link.failures.saturating_add(1), backoff);
        });
    }

    /// Takes note that a connection is closed, or is to be left because it counts as dead.
    pub(crate) fn on_gone(&self, peer: NodeId, id: ConnectionId) {
        let backoff = self.backoff;
        self.change(peer, |link| {
            let Some(at) = link.connections.iter().position(|(one, _)| one.id == id) else {
                return;
            };
            let (connection, proof) = link.connections.remove(at);
            connection.gone.send_replace(true);
            let error = match proof {
                Proof::Given => LinkError::Lost,
                Proof::Awaited => LinkError::NotTaken,
            };
            link.last_error = Some((error, Instant::now()));
            match proof {
                Proof::Given => link.wait(link.failures, backoff),
                Proof::Awaited => link.wait(link.failures.saturating_add(1), backoff),
            }
        });
    }

    /// Leaves a connection that counts as dead and has it closed.
    pub(crate) fn close(&self, peer: NodeId, id: ConnectionId) {
        self.on_gone(peer, id);
        // The swarm is gone only at shutdown.
        let _ = self.orders.send(Order::Close(id));
    }

    /// Forgets peers that are no longer enrolled.
    pub(crate) fn retain(&self, is_enrolled: impl Fn(NodeId) -> bool) {
        self.lock().retain(|peer, link| {
            let keep = is_enrolled(*peer);
            if !keep {
                for (connection, _) in &link.connections {
                    connection.gone.send_replace(true);
                }
            }
            keep
        });
    }

    /// The peers with a connection on which an echo came back, sorted.
    pub(crate) fn connected(&self) -> Vec<NodeId> {
        let links = self.lock();
        let mut connected: Vec<_> = links
            .iter()
            .filter(|(_, link)| link.is_proven())
            .map(|(peer, _)| *peer)
            .collect();
        connected.sort_unstable();
        connected
    }

    /// The link to a peer at a glance.
    pub(crate) fn report(&self, peer: NodeId) -> LinkReport {
        let links = self.lock();
        let Some(link) = links.get(&peer) else {
            return Link::default().report();
        };
        link.report()
    }

    /// The last measured round trip to a connected peer.
    pub(crate) fn round_trip(&self, peer: NodeId) -> Option<Duration> {
        let links = self.lock();
        let link = links.get(&peer).filter(|link| link.is_proven())?;
        link.round_trip
    }

    /// Changes the link of a peer that was not forgotten, and wakes who waits for it.
    fn change(&self, peer: NodeId, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.lock().get_mut(&peer) {
            change(link);
            link.changes.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Link>> {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// The newest connection the peer has shown to accept, else the newest.
    fn best(&self) -> Option<Arc<Connection>> {
        let best = self.connections.iter().max_by_key(|(_, proof)| *proof);
        best.map(|(connection, _)| Arc::clone(connection))
    }

    fn report(&self) -> LinkReport {
        let now = Instant::now();
        let state = match self.best().filter(|_| self.is_proven()) {
            Some(connection) => LinkState::Connected {
                carrier: connection.carrier,
                since: connection.age(),
            },
            None if self.dialing || !self.connections.is_empty() => LinkState::Dialing,
            None => match self.next_dial {
                Some(at) => LinkState::Waiting {
                    next_dial: at.saturating_duration_since(now),
                },
                None => LinkState::Idle,
            },
        };
        let last_error = self.last_error;
        LinkReport {
            state,
            round_trip: self.round_trip.filter(|_| self.is_proven()),
            failures: self.failures,
            last_error: last_error.map(|(error, at)| (error, now.saturating_duration_since(at))),
        }
    }

    fn is_proven(&self) -> bool {
        let mut proofs = self.connections.iter().map(|(_, proof)| *proof);
        proofs.any(|proof| proof == Proof::Given)
    }

    fn wait(&mut self, failures: u32, backoff: Backoff) {
        self.failures = failures;
        self.next_dial = Some(Instant::now() + backoff.wait(failures, draw()));
    }
}
