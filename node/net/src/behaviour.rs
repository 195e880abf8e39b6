//! Who gets a connection: the gate at the end of the handshake, the bounds before and after it, and
//! the account of what is open. Only enrolled peers pass, by the key they proved.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, DialError, FromSwarm, ListenError,
    NetworkBehaviour, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;
use tongban_types::NodeId;

use crate::config::Tuning;
use crate::directory::DirectoryInForce;
use crate::handler::{InboundStream, StreamHandler};
use crate::inlets::Inlets;
use crate::keepalive;
use crate::links::{Connection, Links};
use crate::metrics::{Counters, Denial};
use crate::tasks::Tasks;

/// Streams asked for on one connection and not yet being opened: all kinds at once.
const STREAM_REQUESTS_MAX: usize = 8;

/// What the behaviour shares with the rest of the transport.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) directory: Arc<DirectoryInForce>,
    pub(crate) links: Arc<Links>,
    pub(crate) inlets: Arc<Inlets>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) tuning: Tuning,
}

/// The one behaviour of the swarm.
#[derive(Debug)]
pub(crate) struct Gate {
    shared: Shared,
    /// Inbound connections in handshake, with the address they come from.
    pending: HashMap<ConnectionId, Option<IpAddr>>,
    /// Our dials under way: at most one a peer.
    dials: HashMap<ConnectionId, NodeId>,
    open: HashMap<ConnectionId, Open>,
    orders: VecDeque<ToSwarm<Infallible, Infallible>>,
}

/// A connection past the gate.
#[derive(Debug)]
struct Open {
    node: NodeId,
    identity: PeerId,
    dialed: bool,
    connection: Arc<Connection>,
}

impl Gate {
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared,
            pending: HashMap::new(),
            dials: HashMap::new(),
            open: HashMap::new(),
            orders: VecDeque::new(),
        }
    }

    /// Takes note of a dial before the swarm starts it; others are denied.
    pub(crate) fn expect_dial(&mut self, id: ConnectionId, node: NodeId) {
        self.dials.insert(id, node);
    }

    /// The connections of peers that are no longer enrolled with the key they proved.
    pub(crate) fn no_longer_enrolled(&self) -> Vec<ConnectionId> {
        let directory = self.shared.directory.get();
        let mut gone = Vec::new();
        for (id, open) in &self.open {
            if directory.node_of(&open.identity) != Some(open.node) {
                gone.push(*id);
            }
        }
        gone
    }

    /// Stops using a connection before it is closed, which may take long on a dead line.
    pub(crate) fn leave(&self, id: ConnectionId) {
        if let Some(open) = self.open.get(&id) {
            self.shared.links.on_gone(open.node, id);
        }
    }

    fn deny(&self, denial: Denial) -> ConnectionDenied {
        self.shared.counters.denied(denial);
        tracing::debug!(%denial, code = %denial.code(), "a connection is denied");
        ConnectionDenied::new(denial)
    }

    fn admit(
        &mut self,
        id: ConnectionId,
        identity: PeerId,
        dialed: Option<NodeId>,
    ) -> Result<StreamHandler, ConnectionDenied> {
        let enrolled = self.shared.directory.get().node_of(&identity);
        let node = enrolled
            .filter(|node| dialed.is_none_or(|dialed| dialed == *node))
            .ok_or_else(|| self.deny(Denial::NotEnrolled))?;
        if self.open.len() >= self.shared.tuning.established_max {
            return Err(self.deny(Denial::Established));
        }
        let of_peer = self.open.values().filter(|open| open.node == node).count();
        if of_peer >= self.shared.tuning.established_per_peer_max {
            return Err(self.deny(Denial::EstablishedOfPeer));
        }
        let (streams, requests) = mpsc::channel(STREAM_REQUESTS_MAX);
        let open = Open {
            node,
            identity,
            dialed: dialed.is_some(),
            connection: Arc::new(Connection::new(id, streams)),
        };
        self.open.insert(id, open);
        let stream_timeout = self.shared.tuning.stream_timeout;
        Ok(StreamHandler::new(requests, stream_timeout))
    }

    fn on_established(&mut self, id: ConnectionId) {
        self.dials.remove(&id);
        let Some(open) = self.open.get(&id) else {
            return;
        };
        let (node, dialed) = (open.node, open.dialed);
        let connection = Arc::clone(&open.connection);
        self.shared.counters.connections.one();
        self.shared.counters.connections_opened.one();
        tracing::debug!(peer = %node, connection = %id, dialed, "connected");
        if !dialed {
            self.supersede(node, id);
        }
        let links = &self.shared.links;
        links.on_established(node, Arc::clone(&connection), dialed);
        self.shared.tasks.spawn(keepalive::watch(
            self.shared.clone(),
            node,
            Arc::clone(&connection),
        ));
    }

    /// Closes older connections the peer opened: it opens one only when it has none, so it has lost
    /// them, and we would notice only by silence.
    fn supersede(&mut self, node: NodeId, newest: ConnectionId) {
        for (id, open) in &self.open {
            if open.node == node && !open.dialed && *id != newest {
                self.shared.counters.connections_superseded.one();
                self.shared.links.on_gone(node, *id);
                self.orders.push_back(ToSwarm::CloseConnection {
                    peer_id: open.identity,
                    connection: CloseConnection::One(*id),
                });
            }
        }
    }

    fn on_closed(&mut self, id: ConnectionId) {
        if let Some(open) = self.open.remove(&id) {
            self.shared.counters.connections.one_less();
            self.shared.links.on_gone(open.node, id);
            tracing::debug!(peer = %open.node, connection = %id, "disconnected");
        }
    }

    fn on_dial_failed(&mut self, id: ConnectionId, error: &DialError) {
        self.open.remove(&id);
        let Some(node) = self.dials.remove(&id) else {
            return;
        };
        self.shared.counters.dials_failed.one();
        if matches!(
            error,
            DialError::WrongPeerId { .. } | DialError::LocalPeerId { .. }
        ) {
            self.shared.counters.denied(Denial::WrongKey);
            let code = Denial::WrongKey.code();
            tracing::warn!(peer = %node, %code, "another key answers at the address of the peer");
        } else {
            tracing::debug!(peer = %node, %error, "a dial failed");
        }
        self.shared.links.on_dial_failed(node);
    }

    fn on_handshake_failed(&mut self, id: ConnectionId, error: &ListenError) {
        self.pending.remove(&id);
        self.open.remove(&id);
        if !matches!(error, ListenError::Denied { .. }) {
            self.shared.counters.handshakes_failed.one();
        }
        tracing::debug!(%error, "an inbound connection was not established");
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = StreamHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let address = ip_of(from);
        if self.pending.len() >= self.shared.tuning.pending_max {
            return Err(self.deny(Denial::Pending));
        }
        let of_address = self.pending.values().filter(|one| **one == address);
        if of_address.count() >= self.shared.tuning.pending_per_address_max {
            return Err(self.deny(Denial::PendingOfAddress));
        }
        self.pending.insert(id, address);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        identity: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<StreamHandler, ConnectionDenied> {
        self.pending.remove(&id);
        self.admit(id, identity, None)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        _: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        // The addresses are in the dial itself.
        if self.dials.contains_key(&id) {
            return Ok(Vec::new());
        }
        Err(self.deny(Denial::NotEnrolled))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        identity: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<StreamHandler, ConnectionDenied> {
        match self.dials.get(&id) {
            Some(node) => self.admit(id, identity, Some(*node)),
            None => Err(self.deny(Denial::NotEnrolled)),
        }
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => self.on_established(event.connection_id),
            FromSwarm::ConnectionClosed(event) => self.on_closed(event.connection_id),
            FromSwarm::DialFailure(event) => self.on_dial_failed(event.connection_id, event.error),
            FromSwarm::ListenFailure(event) => {
                self.on_handshake_failed(event.connection_id, event.error);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, id: ConnectionId, inbound: InboundStream) {
        if let Some(open) = self.open.get(&id) {
            let connection = Arc::clone(&open.connection);
            self.shared.inlets.accept(open.node, connection, inbound);
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Infallible>> {
        // Orders arise only inside calls of the swarm, which polls again after each.
        self.orders.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })
}
