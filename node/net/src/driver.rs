//! The task that owns the libp2p swarm: builds it, listens, and carries out orders.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use libp2p::core::Transport as _;
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, identity, noise, tcp, yamux};
use tokio::sync::mpsc;
use tongban_types::NodeId;

use crate::behaviour::{Gate, Shared};
use crate::config::NetError;
use crate::directory::multiaddr_of;
use crate::links::Order;

/// Streams of one connection: eight kinds in two directions, and as many again that linger.
const STREAMS_MAX: usize = 64;

/// Inbound streams of one connection whose protocol is being agreed on.
const NEGOTIATING_MAX: usize = 16;

/// The swarm and its orders.
pub(crate) struct Driver {
    swarm: Swarm<Gate>,
    shared: Shared,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Driver {
    pub(crate) fn new(
        keypair: &identity::Keypair,
        shared: Shared,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        let local = keypair.public().to_peer_id();
        let mut multiplexing = yamux::Config::default();
        multiplexing.set_max_num_streams(STREAMS_MAX);
        let transport = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(keypair).expect("an Ed25519 key signs its Noise key"))
            .multiplex(multiplexing)
            .timeout(shared.tuning.handshake_timeout)
            .boxed();
        let tasks = Arc::clone(&shared.tasks);
        let spawn = move |task: Pin<Box<dyn Future<Output = ()> + Send>>| {
            tasks.spawn(task);
        };
        let config = libp2p::swarm::Config::with_executor(spawn)
            .with_max_negotiating_inbound_streams(NEGOTIATING_MAX);
        Self {
            swarm: Swarm::new(transport, Gate::new(shared.clone()), local, config),
            shared,
            orders,
        }
    }

    /// Takes connections at `address` and returns where, with the port the system chose.
    pub(crate) async fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, NetError> {
        let failed = |source| NetError::Listen { address, source };
        refuse_port_in_use(address).map_err(failed)?;
        let listener = self
            .swarm
            .listen_on(multiaddr_of(address))
            .map_err(|error| failed(io::Error::other(error)))?;
        let port = self.listening_port(listener).await.map_err(failed)?;
        Ok(SocketAddr::new(address.ip(), port))
    }

    /// Waits until the listener says where it listens; nothing else can happen to it than to end.
    async fn listening_port(&mut self, listener: ListenerId) -> io::Result<u16> {
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr {
                    listener_id,
                    address,
                } if listener_id == listener => {
                    return port_of(&address)
                        .ok_or_else(|| io::Error::other("the listener names no port"));
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    reason,
                    ..
                } if listener_id == listener => {
                    return Err(reason.err().unwrap_or_else(|| io::Error::other("closed")));
                }
                SwarmEvent::ListenerError { listener_id, error } if listener_id == listener => {
                    return Err(error);
                }
                _ => {}
            }
        }
    }

    /// Runs until the transport is shut down.
    pub(crate) async fn run(mut self) {
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.carry_out(order),
                    None => return,
                },
                event = self.swarm.select_next_some() => log_event(event),
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Dial(node) => self.dial(node),
            Order::Close(id) => {
                self.swarm.close_connection(id);
            }
            Order::ApplyDirectory => {
                for id in self.swarm.behaviour().no_longer_enrolled() {
                    self.swarm.behaviour().leave(id);
                    self.swarm.close_connection(id);
                }
            }
        }
    }

    fn dial(&mut self, node: NodeId) {
        let directory = self.shared.directory.get();
        let addresses = directory.addresses_of(node);
        let Some(identity) = directory
            .identity_of(node)
            .filter(|_| !addresses.is_empty())
        else {
            self.shared.links.on_dial_failed(node);
            return;
        };
        // A port of its own: dialing from the listening port fails while an old connection of the
        // same two ports lingers, and two such dials may meet as one.
        let dial = DialOpts::peer_id(identity)
            .condition(PeerCondition::Always)
            .addresses(addresses.to_vec())
            .allocate_new_port()
            .build();
        self.swarm
            .behaviour_mut()
            .expect_dial(dial.connection_id(), node);
        if let Err(error) = self.swarm.dial(dial) {
            // The behaviour has heard of it and told the link.
            tracing::debug!(peer = %node, %error, "a dial was not started");
        }
    }
}

/// Says what happens to listeners; what concerns connections the behaviour has heard of.
fn log_event(event: SwarmEvent<Infallible>) {
    match event {
        SwarmEvent::ListenerClosed {
            addresses, reason, ..
        } => tracing::error!(?addresses, ?reason, "connections are no longer taken"),
        SwarmEvent::ListenerError { error, .. } => {
            tracing::warn!(%error, "a connection could not be taken");
        }
        _ => {}
    }
}

/// libp2p shares listening ports (`SO_REUSEPORT`): two nodes started on one port would each get
/// some of the connections. A plain socket refuses a port in use.
fn refuse_port_in_use(address: SocketAddr) -> io::Result<()> {
    if address.port() != 0 {
        std::net::TcpListener::bind(address)?;
    }
    Ok(())
}

fn port_of(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    })
}
