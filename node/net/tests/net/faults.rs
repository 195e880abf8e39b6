//! Peers that restart, lines that go dead, and shutting down.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tongban_net::{Directory, Tuning};
use tongban_runtime::seams::{Transport, TransportError};

use crate::support::{Node, any_port, eventually, pair, peer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_restarted_on_its_port_is_reached_again() {
    let (one, two) = pair().await;
    assert!(one.ask(&two, "before").await.is_ok());
    two.transport.shut_down().await;
    eventually("the loss is noticed", || {
        one.transport.connected().is_empty()
    })
    .await;

    let again = Node::start_at(2, two.address, Tuning::default()).await;
    assert_eq!(again.address, two.address);
    again.knows(&[&one]);
    assert_eq!(one.ask_until_answered(&again, "after").await, "after");
    assert_eq!(again.ask_until_answered(&one, "back").await, "back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_ends_when_the_peer_dies() {
    let (one, two) = pair().await;
    let waiting = one.ask(&two, "hold");
    let death = async {
        eventually("the request is started", || two.service.started() == 1).await;
        two.transport.shut_down().await;
    };
    let (ended, ()) = tokio::join!(waiting, death);
    assert_eq!(ended, Err(TransportError::Unclear { peer: two.id() }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutting_down_ends_everything_and_frees_the_port() {
    let (one, two) = pair().await;
    assert!(one.ask(&two, "hello").await.is_ok());
    one.transport.shut_down().await;
    assert_eq!(
        one.ask(&two, "more").await,
        Err(TransportError::Unreachable { peer: two.id() })
    );
    std::net::TcpListener::bind(one.address).expect("the port is free");
    eventually("the other side notices", || {
        two.transport.connected().is_empty() && two.transport.metrics().connections == 0
    })
    .await;
}

/// A line that can be cut without either end being told: bytes are no longer carried, and no
/// connection is closed.
async fn line_to(target: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (cut, is_cut) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(target).await.unwrap();
            let mut is_cut = is_cut.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => return,
                    _ = is_cut.wait_for(|cut| *cut) => {}
                }
                // Both sockets stay open, and silent, until the line is whole again.
                let _ = is_cut.wait_for(|cut| !*cut).await;
            });
        }
    });
    (address, cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_goes_dead_is_noticed_and_left() {
    let tuning = Tuning {
        keepalive_interval: Duration::from_millis(20),
        keepalive_timeout: Duration::from_millis(400),
        handshake_timeout: Duration::from_millis(400),
        ..Tuning::default()
    };
    let one = Node::start_tuned(1, tuning).await;
    let two = Node::start_tuned(2, tuning).await;
    let (line, cut) = line_to(two.address).await;
    one.transport
        .set_directory(Directory::new([(two.id(), peer(2, line))]).unwrap());
    two.knows(&[&one]);
    assert!(one.ask(&two, "hello").await.is_ok());
    eventually("connected", || !one.transport.connected().is_empty()).await;

    let waiting = one.ask(&two, "hold");
    let going_dead = async {
        eventually("the request is started", || two.service.started() == 2).await;
        cut.send_replace(true);
    };
    let (ended, ()) = tokio::join!(waiting, going_dead);
    assert_eq!(ended, Err(TransportError::Unclear { peer: two.id() }));
    eventually("both ends have left the connection", || {
        let left = |node: &Node| {
            node.transport.connected().is_empty() && node.transport.metrics().connections_dead >= 1
        };
        left(&one) && left(&two)
    })
    .await;

    cut.send_replace(false);
    assert_eq!(
        one.ask_until_answered(&two, "whole again").await,
        "whole again"
    );
}
