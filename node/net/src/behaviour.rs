//! Who gets a connection: the gate at the end of the handshake, the bounds before and after it, and
//! the account of what is open. Only enrolled peers pass, by the key they proved.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, DialError, FromSwarm, ListenError,
    NetworkBehaviour, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;
use tongban_types::NodeId;

use crate::carrier::{Carrier, socket_of};
use crate::config::Tuning;
use crate::directory::DirectoryInForce;
use crate::handler::{InboundStream, StreamHandler};
use crate::handshakes::Handshake;
use crate::inlets::Inlets;
use crate::keepalive;
use crate::links::{Connection, LinkError, Links};
use crate::metrics::{Counters, Denial};
use crate::tasks::Tasks;

/// Streams asked for on one connection and not yet being opened: all kinds at once.
const STREAM_REQUESTS_MAX: usize = 8;

/// The two halves of one dial come in within this time: the later begins 250 ms after the earlier.
const DIAL_SPREAD_MAX: Duration = Duration::from_secs(1);

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
    /// Inbound connections in handshake.
    pending: HashMap<ConnectionId, Handshake>,
    /// Our dials under way: at most one a peer.
    dials: HashMap<ConnectionId, Dial>,
    open: HashMap<ConnectionId, Open>,
    orders: VecDeque<ToSwarm<Infallible, Infallible>>,
}

/// A dial under way.
#[derive(Clone, Copy, Debug)]
struct Dial {
    node: NodeId,
    /// Whether the one before brought nothing.
    again: bool,
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
    pub(crate) fn expect_dial(&mut self, id: ConnectionId, node: NodeId, again: bool) {
        self.dials.insert(id, Dial { node, again });
        self.count_handshakes();
    }

    fn count_handshakes(&self) {
        self.shared.counters.dialing.set(self.dials.len());
        self.shared.counters.handshaking.set(self.pending.len());
    }

    /// Dials under way.
    pub(crate) fn dials_under_way(&self) -> usize {
        self.dials.len()
    }

    /// Of these, dials of peers whose last dial brought nothing.
    pub(crate) fn dials_again_under_way(&self) -> usize {
        self.dials.values().filter(|dial| dial.again).count()
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
        carrier: Carrier,
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
            connection: Arc::new(Connection::new(id, carrier, streams)),
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
        self.shared.counters.connected(connection.carrier);
        let carrier = connection.carrier.name();
        tracing::debug!(peer = %node, connection = %id, dialed, carrier, "connected");
        if !dialed {
            self.supersede(node, id, connection.carrier);
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
    /// them, and we would notice only by silence. Two over different carriers within a moment are the
    /// two halves of one dial, of which the peer keeps the first.
    fn supersede(&mut self, node: NodeId, newest: ConnectionId, carrier: Carrier) {
        for (id, open) in &self.open {
            let is_other_half =
                open.connection.carrier != carrier && open.connection.age() < DIAL_SPREAD_MAX;
            if open.node == node && !open.dialed && *id != newest && !is_other_half {
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
            self.shared.counters.disconnected(open.connection.carrier);
            self.shared.links.on_gone(open.node, id);
            tracing::debug!(peer = %open.node, connection = %id, "disconnected");
        }
    }

    fn on_dial_failed(&mut self, id: ConnectionId, error: &DialError) {
        self.open.remove(&id);
        let Some(Dial { node, .. }) = self.dials.remove(&id) else {
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
            self.shared.links.on_dial_failed(node, LinkError::WrongKey);
        } else {
            tracing::debug!(peer = %node, %error, "a dial failed");
            self.shared.links.on_dial_failed(node, LinkError::NoAnswer);
        }
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
        at: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let from = socket_of(from).map(|from| from.ip());
        let directory = self.shared.directory.get();
        let handshake = Handshake {
            carrier: Carrier::of(at),
            from,
            is_machine: from.is_some_and(|from| directory.is_machine(from)),
        };
        let denial = handshake.denial(self.pending.values(), &self.shared.tuning);
        if let Some(denial) = denial {
            return Err(self.deny(denial));
        }
        self.pending.insert(id, handshake);
        self.count_handshakes();
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        identity: PeerId,
        at: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<StreamHandler, ConnectionDenied> {
        self.pending.remove(&id);
        self.admit(id, identity, Carrier::of(at), None)
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
        at: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<StreamHandler, ConnectionDenied> {
        match self.dials.get(&id) {
            Some(Dial { node, .. }) => self.admit(id, identity, Carrier::of(at), Some(*node)),
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
        self.count_handshakes();
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
