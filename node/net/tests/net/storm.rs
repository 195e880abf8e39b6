//! Many peers at once: what a node spends on them stays bounded, and those enrolled get through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tongban_net::{Denial, Directory, Tuning};
use tongban_runtime::seams::{Lane, Transport};

use crate::support::{LONG, Node, any_port, eventually, node_id, peer, ticks};

/// Nodes that are enrolled, and nodes that are not, each with a key that nobody knows.
const ENROLLED: u8 = 60;
const STRANGERS: u8 = 38;
/// Connections that never say a word.
const SILENT: usize = 20;

/// Bounds small enough to be met by a hundred.
fn narrow() -> Tuning {
    Tuning {
        pending_max: 40,
        pending_per_address_max: 32,
        dials_max: 6,
        dials_again_max: 4,
        ..Tuning::default()
    }
}

/// Dials again soon.
fn eager() -> Tuning {
    Tuning {
        dial_wait_max: Duration::from_millis(500),
        ..Tuning::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_that_dial_at_once_cost_a_bounded_amount_and_the_enrolled_get_through() {
    let hub = Arc::new(Node::start_tuned(99, narrow()).await);
    let mut enrolled = Vec::new();
    for number in 1..=ENROLLED {
        enrolled.push(Node::start_tuned(number, eager()).await);
    }
    hub.knows(&enrolled.iter().collect::<Vec<_>>());
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(TcpStream::connect(hub.address).await.unwrap());
    }

    let mut strangers = JoinSet::new();
    for number in 1..=STRANGERS {
        let seed = 100 + number;
        let stranger = Node::start_as(ENROLLED + number, seed, any_port(), true, eager()).await;
        stranger.knows(&[&hub]);
        let hub = hub.clone();
        strangers.spawn(async move {
            let mut tick = ticks();
            loop {
                assert!(stranger.ask(&hub, "let me in").await.is_err());
                tick.tick().await;
            }
        });
    }
    let (handshaking_most, tasks_most) = (AtomicU64::new(0), AtomicUsize::new(0));
    let asking = join_all(enrolled.iter().map(|node| {
        node.knows(&[&hub]);
        node.ask_until_answered(&hub, "here I am")
    }));
    let watching = async {
        let mut tick = ticks();
        loop {
            tick.tick().await;
            let metrics = hub.transport.metrics();
            handshaking_most.fetch_max(metrics.handshaking, Ordering::Relaxed);
            tasks_most.fetch_max(hub.transport.tasks(), Ordering::Relaxed);
        }
    };
    let answers = tokio::select! {
        answers = asking => answers,
        () = watching => unreachable!("it watches for ever"),
    };
    assert!(answers.iter().all(|answer| answer == "here I am"));
    assert!(hub.service.started() >= usize::from(ENROLLED));
    let metrics = hub.transport.metrics();
    assert!(metrics.denied[&Denial::NotEnrolled] > 0, "strangers came");
    // Each carrier has its places.
    let handshakes = 2 * narrow().pending_max;
    assert!(handshaking_most.into_inner() <= handshakes as u64);
    // A handshake is one task; a connection has one of libp2p's, the keepalives of both ends and a lane;
    // as many again may be on their way out.
    let connections = usize::from(ENROLLED) + handshakes;
    let most = tasks_most.into_inner();
    assert!(most <= 2 * 4 * connections, "{most} tasks");
    strangers.shutdown().await;
    drop(silent);
    eventually("what strangers took is given back", || {
        hub.transport.metrics().handshaking == 0 && hub.transport.tasks() <= 4 * connections
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_dials_few_at_once_and_dials_in_vain_keep_no_new_peer_waiting() {
    let tuning = Tuning {
        handshake_timeout: Duration::from_millis(200),
        dial_wait_max: Duration::from_millis(1),
        ..narrow()
    };
    let hub = Arc::new(Node::start_tuned(99, tuning).await);
    // They take connections and never say a word: a dial of them lasts until its time is over.
    let (mut silent, mut entries) = (Vec::new(), Vec::new());
    for number in 1..=20 {
        let listener = TcpListener::bind(any_port()).await.unwrap();
        let address = listener.local_addr().unwrap();
        entries.push((node_id(number), peer(number, address)));
        silent.push(listener);
    }
    let alive = Node::start(50).await;
    alive.knows(&[&hub]);
    entries.push((alive.id(), peer(50, alive.address)));
    hub.transport
        .set_directory(Directory::new(entries.clone()).unwrap());

    let mut in_vain = JoinSet::new();
    for (node, _) in &entries[..20] {
        let (hub, node) = (hub.clone(), *node);
        in_vain.spawn(async move {
            let mut tick = ticks();
            loop {
                let body = Bytes::from_static(b"anyone there");
                let asked = hub.transport.request(node, Lane::Submit, body, LONG);
                assert!(asked.await.is_err());
                tick.tick().await;
            }
        });
    }
    let metrics = || hub.transport.metrics();
    eventually("each was dialed in vain", || metrics().dials_failed >= 40).await;
    let before = metrics().dials_failed;
    assert_eq!(hub.ask(&alive, "hello").await.unwrap(), "hello");
    // In turn with the others it would have been behind about twenty of them.
    let meanwhile = metrics().dials_failed - before;
    assert!(meanwhile <= 8, "{meanwhile} others went before");
    for _ in 0..1_000 {
        assert!(metrics().dialing <= tuning.dials_max as u64);
        tokio::task::yield_now().await;
    }
    in_vain.shutdown().await;
}
