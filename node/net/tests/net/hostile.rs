//! What strangers and enrolled but ill-meaning peers may send.

use futures_util::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::{Config, Swarm, dial_opts::DialOpts};
use libp2p::{Multiaddr, Stream, StreamProtocol, Transport as _, multiaddr::Protocol};
use libp2p::{core::upgrade::Version, noise, tcp, yamux};
use libp2p_stream::{Behaviour, Control};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tongban_net::{Directory, Tuning};
use tongban_runtime::seams::{Lane, Transport, TransportError};

use crate::support::{Node, any_port, eventually, keypair, node_id, pair, peer};

const LANE: StreamProtocol = StreamProtocol::new("/tongban/3/1");
const KEEPALIVE: StreamProtocol = StreamProtocol::new("/tongban/keepalive/1");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_that_speaks_garbage_does_no_harm() {
    let (one, two) = pair().await;
    let rows: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 4096],
        &[0; 4096],
        b"\x13/multistream/1.0.0\n\x07/noise\n\xff\xff\xff\xff",
        b"\x13/multistream/1.0.0\n\x07/noise\n\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];
    for row in rows {
        let mut stranger = TcpStream::connect(two.address).await.unwrap();
        // The node may have hung up already.
        let _ = stranger.write_all(row).await;
        let _ = stranger.shutdown().await;
    }
    eventually("all are counted", || {
        two.transport.metrics().handshakes_failed == 5
    })
    .await;
    assert_eq!(one.ask(&two, "still here").await.unwrap(), "still here");
    assert_eq!(two.transport.metrics().connections, 1);
}

/// A peer with a key of its own and no manners, which answers keepalives.
struct Hostile {
    control: Control,
    node: Node,
}

impl Hostile {
    /// Connected to a fresh node that has it enrolled as node 9.
    async fn connected() -> Self {
        Self::connected_tuned(Tuning::default()).await
    }

    async fn connected_tuned(tuning: Tuning) -> Self {
        let node = Node::start_tuned(1, tuning).await;
        node.transport
            .set_directory(Directory::new([(node_id(9), peer(9, any_port()))]).unwrap());
        let control = dial(&node);
        eventually("connected", || node.transport.connected() == [node_id(9)]).await;
        Self { control, node }
    }

    async fn stream(&mut self) -> Stream {
        let node = keypair(1).public().to_peer_id();
        self.control.open_stream(node, LANE).await.unwrap()
    }

    fn malformed(&self) -> u64 {
        self.node.transport.metrics().lanes[&Lane::Submit].malformed
    }
}

/// Connects node 9 to a node, by another connection each time.
fn dial(node: &Node) -> Control {
    let mut swarm = swarm(9);
    let mut control = swarm.behaviour().new_control();
    let mut keepalives = control.accept(KEEPALIVE).unwrap();
    tokio::spawn(async move {
        while let Some((_, mut stream)) = keepalives.next().await {
            let mut echo = [0; 8];
            while stream.read_exact(&mut echo).await.is_ok() {
                let _ = stream.write_all(&echo).await;
                let _ = stream.flush().await;
            }
        }
    });
    let at = Multiaddr::from(node.address.ip()).with(Protocol::Tcp(node.address.port()));
    let dial = DialOpts::peer_id(keypair(1).public().to_peer_id());
    swarm.dial(dial.addresses(vec![at]).build()).unwrap();
    tokio::spawn(async move {
        loop {
            swarm.next().await;
        }
    });
    control
}

fn swarm(seed: u8) -> Swarm<Behaviour> {
    let keypair = keypair(seed);
    let transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(&keypair).unwrap())
        .multiplex(yamux::Config::default())
        .boxed();
    let config = Config::with_tokio_executor()
        .with_idle_connection_timeout(std::time::Duration::from_mins(1));
    Swarm::new(
        transport,
        Behaviour::new(),
        keypair.public().to_peer_id(),
        config,
    )
}

fn request(id: u64, ttl_ms: u32, length: u32, body: &[u8]) -> Vec<u8> {
    let mut frame = id.to_be_bytes().to_vec();
    frame.extend(ttl_ms.to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame.extend(body);
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_longer_than_allowed_closes_its_stream_and_no_other() {
    let mut hostile = Hostile::connected().await;
    let mut stream = hostile.stream().await;
    let frame = request(1, 1000, 4 * 1024 * 1024 + 1, b"");
    stream.write_all(&frame).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    // Reset or ended, but without an answer.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    assert_eq!(hostile.malformed(), 1);

    let mut stream = hostile.stream().await;
    let frame = request(7, 20_000, 2, b"hi");
    stream.write_all(&frame).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = [0; 16];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, *b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\x02hi");
    assert_eq!(hostile.node.transport.metrics().connections, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_opens_its_stream_again_gets_no_more_requests_answered_at_once() {
    let tuning = Tuning {
        calls_max: 3,
        ..Tuning::default()
    };
    let mut hostile = Hostile::connected_tuned(tuning).await;
    let lane = Lane::Submit;
    let mut streams = Vec::new();
    for round in 1..=4_u64 {
        let mut stream = hostile.stream().await;
        for id in 0..3 {
            let frame = request(id, 20_000, 4, b"hold");
            stream.write_all(&frame).await.unwrap();
        }
        stream.flush().await.unwrap();
        // The first stream has its three read; of a later one the first waits for room.
        let read = if round == 1 { 3 } else { round + 2 };
        eventually("the requests are read", || {
            hostile.node.transport.metrics().lanes[&lane].frames_in >= read
        })
        .await;
        streams.push(stream);
    }
    assert_eq!(hostile.node.service.started(), 3);
    hostile.node.service.release.add_permits(3);
    eventually("the newest stream is served", || {
        hostile.node.service.started() == 6
    })
    .await;
    let most = &hostile.node.service.running_most;
    assert_eq!(most.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_taken_stop_the_reading_of_requests() {
    let tuning = Tuning {
        answer_bytes_max: 1,
        ..Tuning::default()
    };
    let mut hostile = Hostile::connected_tuned(tuning).await;
    let mut stream = hostile.stream().await;
    // The echo of each is as large as a frame; nobody reads them.
    let body = vec![7; tongban_types::limits::FRAME_BYTES_MAX];
    let length = u32::try_from(body.len()).unwrap();
    let sending = async {
        for id in 0..64 {
            let frame = request(id, 600_000, length, &body);
            stream.write_all(&frame).await.unwrap();
            stream.flush().await.unwrap();
        }
    };
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(2), sending).await;
    assert!(stopped.is_err(), "all were taken");
    assert!(hostile.node.service.started() < 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_random_bytes_do_no_harm() {
    let mut hostile = Hostile::connected().await;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..50 {
        let mut stream = hostile.stream().await;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .take(200)
        .collect();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.close().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    assert!(hostile.malformed() >= 40, "{}", hostile.malformed());
    assert_eq!(hostile.node.transport.metrics().connections, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_never_asked_for_closes_the_stream() {
    let mut hostile = Hostile::connected().await;
    let mut lanes = hostile.control.accept(LANE).unwrap();
    let answers = async {
        let (_, mut stream) = lanes.next().await.unwrap();
        let mut head = [0; 16];
        stream.read_exact(&mut head).await.unwrap();
        let mut answer = 77_u64.to_be_bytes().to_vec();
        answer.extend([0; 6]);
        stream.write_all(&answer).await.unwrap();
        stream.flush().await.unwrap();
        stream
    };
    let asked =
        hostile
            .node
            .transport
            .request(node_id(9), Lane::Submit, "x".into(), crate::support::LONG);
    let (asked, _stream) = tokio::join!(asked, answers);
    assert_eq!(asked, Err(TransportError::Unclear { peer: node_id(9) }));
    assert_eq!(hostile.malformed(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_with_an_unknown_code_is_still_a_refusal() {
    let mut hostile = Hostile::connected().await;
    let mut lanes = hostile.control.accept(LANE).unwrap();
    let answers = async {
        let (_, mut stream) = lanes.next().await.unwrap();
        let mut head = [0; 16];
        stream.read_exact(&mut head).await.unwrap();
        let mut answer = head[..8].to_vec();
        answer.extend(65_000_u16.to_be_bytes());
        answer.extend([0; 4]);
        stream.write_all(&answer).await.unwrap();
        stream.flush().await.unwrap();
        stream
    };
    let asked =
        hostile
            .node
            .transport
            .request(node_id(9), Lane::Submit, "x".into(), crate::support::LONG);
    let (asked, _stream) = tokio::join!(asked, answers);
    assert_eq!(asked.unwrap_err().code().to_string(), "TB6031");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_connection_of_a_peer_takes_the_place_of_the_older() {
    let hostile = Hostile::connected().await;
    let metrics = || hostile.node.transport.metrics();
    for superseded in 1..=10 {
        let _newer = dial(&hostile.node);
        eventually("the older is closed", || {
            metrics().connections_superseded == superseded && metrics().connections == 1
        })
        .await;
    }
    eventually("the newest serves", || {
        hostile.node.transport.connected() == [node_id(9)]
    })
    .await;
}
