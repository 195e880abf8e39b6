//! The task that owns the libp2p swarm: builds it, listens, and carries out orders.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use libp2p::core::Transport as _;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, ListenerId, OptionalTransport};
use libp2p::core::upgrade::Version;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{PeerId, identity, noise, quic, tcp, yamux};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tongban_types::NodeId;

use crate::behaviour::{Gate, Shared};
use crate::carrier::{Carrier, socket_of};
use crate::config::NetError;
use crate::dials::{Dials, Refusals};
use crate::links::{LinkError, Order};

/// Streams of one connection: eight kinds in two directions, and as many again that linger.
const STREAMS_MAX: usize = 64;

/// Inbound streams of one connection whose protocol is being agreed on.
const NEGOTIATING_MAX: usize = 16;

/// Bytes a peer may send on one QUIC stream before they are read: two of the largest frames.
const QUIC_STREAM_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// The same on all streams of one QUIC connection.
const QUIC_CONNECTION_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Ports chosen by the system that are tried until one is free by TCP and UDP alike.
const PORTS_TRIED_MAX: usize = 16;

/// A UDP port that a former transport of this process is leaving is waited for: closing a QUIC
/// connection takes three of its timeouts.
const UDP_TRIES_MAX: u32 = 40;
const UDP_TRY_EVERY: Duration = Duration::from_millis(50);

/// The swarm and its orders.
pub(crate) struct Driver {
    swarm: Swarm<Gate>,
    is_quic_on: bool,
    /// Peers to dial when a place is free: never tried yet, and tried without success.
    waiting: VecDeque<NodeId>,
    waiting_again: VecDeque<NodeId>,
    shared: Shared,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Driver {
    pub(crate) fn new(
        keypair: &identity::Keypair,
        shared: Shared,
        is_quic_on: bool,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        let local = keypair.public().to_peer_id();
        let transport = carriers(keypair, &shared, is_quic_on);
        let tasks = Arc::clone(&shared.tasks);
        let spawn = move |task: Pin<Box<dyn Future<Output = ()> + Send>>| {
            tasks.spawn(task);
        };
        // QUIC is dialed first, TCP a moment later (RFC 8305); the first to connect is kept.
        let config = libp2p::swarm::Config::with_executor(spawn)
            .with_smart_dial()
            .with_max_negotiating_inbound_streams(NEGOTIATING_MAX);
        Self {
            swarm: Swarm::new(transport, Gate::new(shared.clone()), local, config),
            is_quic_on,
            waiting: VecDeque::new(),
            waiting_again: VecDeque::new(),
            shared,
            orders,
        }
    }

    /// Takes connections at `address` and returns where, with the port the system chose.
    pub(crate) async fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, NetError> {
        let failed = |source| NetError::Listen { address, source };
        refuse_port_in_use(address).map_err(failed)?;
        for _ in 0..PORTS_TRIED_MAX {
            let (listener, port) = self
                .listen_by(Carrier::Tcp, address)
                .await
                .map_err(failed)?;
            let bound = SocketAddr::new(address.ip(), port);
            if !self.is_quic_on {
                return Ok(bound);
            }
            match wait_for_udp(bound, address.port() != 0).await {
                Ok(()) => {
                    self.listen_by(Carrier::Quic, bound).await.map_err(failed)?;
                    return Ok(bound);
                }
                Err(error) if address.port() != 0 => return Err(failed(error)),
                // Somebody else has the port by UDP: the system chooses another.
                Err(_) => self.swarm.remove_listener(listener),
            };
        }
        Err(failed(io::ErrorKind::AddrInUse.into()))
    }

    async fn listen_by(
        &mut self,
        carrier: Carrier,
        address: SocketAddr,
    ) -> io::Result<(ListenerId, u16)> {
        let listening = self.swarm.listen_on(carrier.at(address));
        let listener = listening.map_err(io::Error::other)?;
        Ok((listener, self.listening_port(listener).await?))
    }

    /// Waits until the listener says where it listens; nothing else can happen to it than to end.
    async fn listening_port(&mut self, listener: ListenerId) -> io::Result<u16> {
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr {
                    listener_id,
                    address,
                } if listener_id == listener => {
                    return socket_of(&address)
                        .map(|bound| bound.port())
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
            self.dial_waiting();
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Dial { node, again: false } => self.waiting.push_back(node),
            Order::Dial { node, again: true } => self.waiting_again.push_back(node),
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

    /// Dials whom it is the turn of, as long as places are free.
    fn dial_waiting(&mut self) {
        let tuning = self.shared.tuning;
        loop {
            let under_way = self.swarm.behaviour().dials_under_way();
            let next = if under_way >= tuning.dials_max {
                None
            } else if let Some(node) = self.waiting.pop_front() {
                Some((node, false))
            } else if self.swarm.behaviour().dials_again_under_way() < tuning.dials_again_max {
                self.waiting_again.pop_front().map(|node| (node, true))
            } else {
                None
            };
            match next {
                Some((node, again)) => self.dial(node, again),
                None => return,
            }
        }
    }

    fn dial(&mut self, node: NodeId, again: bool) {
        let directory = self.shared.directory.get();
        let addresses = directory.addresses_of(node);
        let Some(identity) = directory
            .identity_of(node)
            .filter(|_| !addresses.is_empty())
        else {
            self.shared.links.on_dial_failed(node, LinkError::NoAddress);
            return;
        };
        // A port of its own: dialing from the listening port fails while an old connection of the
        // same two ports lingers, and two such dials may meet as one.
        let carriers: &[Carrier] = if self.is_quic_on {
            &Carrier::ALL
        } else {
            &[Carrier::Tcp]
        };
        let addresses = carriers
            .iter()
            .flat_map(|carrier| addresses.iter().map(|address| carrier.at(*address)));
        let dial = DialOpts::peer_id(identity)
            .condition(PeerCondition::Always)
            .addresses(addresses.collect())
            .allocate_new_port()
            .build();
        self.swarm
            .behaviour_mut()
            .expect_dial(dial.connection_id(), node, again);
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

/// Returns once a port can be taken by UDP: at once if it is free, or after a while if `patient`.
async fn wait_for_udp(address: SocketAddr, patient: bool) -> io::Result<()> {
    let tries = if patient { UDP_TRIES_MAX } else { 1 };
    let mut tried = 0;
    loop {
        tried += 1;
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(()),
            Err(error) if tried == tries => return Err(error),
            Err(_) => sleep(UDP_TRY_EVERY).await,
        }
    }
}

/// Both carriers as one transport.
fn carriers(
    keypair: &identity::Keypair,
    shared: &Shared,
    is_quic_on: bool,
) -> Boxed<(PeerId, StreamMuxerBox)> {
    let refusals = Refusals::new();
    let mut multiplexing = yamux::Config::default();
    multiplexing.set_max_num_streams(STREAMS_MAX);
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let tcp = Dials::new(Carrier::Tcp, tcp, refusals.clone())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair).expect("an Ed25519 key signs its Noise key"))
        .multiplex(multiplexing)
        .timeout(shared.tuning.handshake_timeout)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed();
    let quic = is_quic_on.then(|| {
        let quic = quic::tokio::Transport::new(quic_config(keypair, shared));
        let quic = quic.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
        Dials::new(Carrier::Quic, quic.boxed(), refusals)
    });
    let quic = quic.map_or_else(OptionalTransport::none, OptionalTransport::some);
    quic.or_transport(tcp)
        .map(|connected, _| connected.into_inner())
        .boxed()
}

fn quic_config(keypair: &identity::Keypair, shared: &Shared) -> quic::Config {
    let tuning = &shared.tuning;
    let mut config = quic::Config::new(keypair);
    config.handshake_timeout = tuning.handshake_timeout;
    // Our own keepalive tells the living from the dead; QUIC itself only gives up what nobody closes.
    let idle = tuning.keepalive_timeout + tuning.keepalive_interval;
    config.max_idle_timeout = u32::try_from(idle.as_millis()).unwrap_or(u32::MAX);
    config.keep_alive_interval = idle / 3;
    config.max_concurrent_stream_limit = u32::try_from(STREAMS_MAX).unwrap_or(u32::MAX);
    config.max_stream_data = QUIC_STREAM_BYTES_MAX;
    config.max_connection_data = QUIC_CONNECTION_BYTES_MAX;
    config
}
