//! Nodes on loopback, services that tests steer, and waiting for facts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use libp2p::identity::Keypair;
use tokio::sync::Semaphore;
use tongban_net::{Directory, Libp2pTransport, NetConfig, Peer, Tuning};
use tongban_runtime::seams::{Lane, Service, Transport, TransportError};
use tongban_types::{Code, NodeId, PublicKey};

/// Longer than anything on loopback takes, so that only a fault runs into it.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn node_id(number: u8) -> NodeId {
    NodeId::new("350100".parse().unwrap(), number).unwrap()
}

pub(crate) fn keypair(seed: u8) -> Keypair {
    Keypair::ed25519_from_bytes([seed; 32]).unwrap()
}

pub(crate) fn peer(seed: u8, address: SocketAddr) -> Peer {
    let key = keypair(seed).public().try_into_ed25519().unwrap();
    Peer {
        key: PublicKey(key.to_bytes()),
        addresses: vec![address],
    }
}

pub(crate) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// One node with a service that does what bodies say.
pub(crate) struct Node {
    pub(crate) number: u8,
    pub(crate) transport: Arc<Libp2pTransport>,
    pub(crate) service: Arc<Scripted>,
    pub(crate) address: SocketAddr,
}

impl Node {
    pub(crate) async fn start(number: u8) -> Self {
        Self::start_at(number, any_port(), Tuning::default()).await
    }

    pub(crate) async fn start_tuned(number: u8, tuning: Tuning) -> Self {
        Self::start_at(number, any_port(), tuning).await
    }

    /// The seed of its key is its number.
    pub(crate) async fn start_at(number: u8, listen: SocketAddr, tuning: Tuning) -> Self {
        Self::start_as(number, number, listen, true, tuning).await
    }

    pub(crate) async fn start_without_quic(number: u8) -> Self {
        Self::start_as(number, number, any_port(), false, Tuning::default()).await
    }

    /// A node that says it is `number`, with the key of another seed.
    pub(crate) async fn start_as(
        number: u8,
        seed: u8,
        listen: SocketAddr,
        quic: bool,
        tuning: Tuning,
    ) -> Self {
        let config = NetConfig {
            me: node_id(number),
            identity: [seed; 32],
            listen: vec![listen],
            quic,
            peers: Directory::default(),
        };
        let (transport, bound) = Libp2pTransport::start_tuned(config, tuning).await.unwrap();
        let service = Arc::new(Scripted::default());
        transport.serve(Arc::<Scripted>::clone(&service));
        Self {
            number,
            transport: Arc::new(transport),
            service,
            address: bound[0],
        }
    }

    pub(crate) fn id(&self) -> NodeId {
        node_id(self.number)
    }

    pub(crate) fn knows(&self, peers: &[&Self]) {
        let entries = peers
            .iter()
            .map(|node| (node.id(), peer(node.number, node.address)));
        self.transport
            .set_directory(Directory::new(entries).unwrap());
    }

    pub(crate) async fn ask(&self, to: &Self, body: &str) -> Result<Bytes, TransportError> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        self.transport
            .request(to.id(), Lane::Submit, body, LONG)
            .await
    }

    /// Asks until an answer comes.
    pub(crate) async fn ask_until_answered(&self, to: &Self, body: &str) -> Bytes {
        let answered = async {
            let mut tick = ticks();
            loop {
                if let Ok(answer) = self.ask(to, body).await {
                    return answer;
                }
                tick.tick().await;
            }
        };
        tokio::time::timeout(LONG, answered)
            .await
            .expect("no answer came")
    }
}

/// Two nodes that know each other.
pub(crate) async fn pair() -> (Node, Node) {
    pair_tuned(Tuning::default()).await
}

pub(crate) async fn pair_tuned(tuning: Tuning) -> (Node, Node) {
    let one = Node::start_tuned(1, tuning).await;
    let two = Node::start_tuned(2, tuning).await;
    one.knows(&[&two]);
    two.knows(&[&one]);
    (one, two)
}

/// Answers `hold…` only when a permit is released, `refuse` with a code, and echoes the rest; keeps
/// account of what it started, in order.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) started: Mutex<Vec<Bytes>>,
    pub(crate) release: Semaphore,
    pub(crate) running: AtomicUsize,
    pub(crate) running_most: AtomicUsize,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            started: Mutex::default(),
            release: Semaphore::new(0),
            running: AtomicUsize::new(0),
            running_most: AtomicUsize::new(0),
        }
    }
}

impl Scripted {
    pub(crate) fn started(&self) -> usize {
        self.started.lock().unwrap().len()
    }
}

#[async_trait]
impl Service for Scripted {
    async fn call(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
        self.started.lock().unwrap().push(body.clone());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.running_most.fetch_max(running, Ordering::SeqCst);
        let answer = match &body[..] {
            b"refuse" => Err(Code::STALE_VERSION),
            b"who" => Ok(Bytes::from(format!("{peer} {lane:?}"))),
            b"too large" => Ok(Bytes::from(vec![0; 4 * 1024 * 1024 + 1])),
            body if body.starts_with(b"hold") => {
                self.release.acquire().await.unwrap().forget();
                Ok(Bytes::from_static(b"released"))
            }
            _ => {
                tokio::task::yield_now().await;
                Ok(body)
            }
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

/// Waits until a fact holds.
pub(crate) async fn eventually(fact: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        let mut tick = ticks();
        while !holds() {
            tick.tick().await;
        }
    };
    let waited = tokio::time::timeout(LONG, waiting).await;
    assert!(waited.is_ok(), "never became true: {fact}");
}

pub(crate) fn ticks() -> tokio::time::Interval {
    tokio::time::interval(Duration::from_millis(2))
}
