//! QUIC and TCP: which is taken, and what happens where one of them is cut.

use std::time::Duration;

use tongban_net::{Carrier, Denial, Directory, LinkError, LinkReport, LinkState, Tuning};
use tongban_runtime::seams::{Transport, TransportError};

use crate::line::Line;
use crate::support::{LONG, Node, eventually, keypair, node_id, pair, peer};

/// Notices a cut line soon.
const WATCHFUL: fn() -> Tuning = || Tuning {
    keepalive_interval: Duration::from_millis(50),
    keepalive_timeout: Duration::from_millis(500),
    handshake_timeout: Duration::from_secs(2),
    dial_wait_max: Duration::from_millis(200),
    ..Tuning::default()
};

/// Two nodes, the first of which reaches the second by a line that can be cut.
async fn over_a_line() -> (Node, Node, Line) {
    let one = Node::start_tuned(1, WATCHFUL()).await;
    let two = Node::start_tuned(2, WATCHFUL()).await;
    let line = Line::to(two.address).await;
    one.transport
        .set_directory(Directory::new([(two.id(), peer(2, line.address))]).unwrap());
    let unreachable = Directory::new([(
        one.id(),
        tongban_net::Peer {
            addresses: Vec::new(),
            ..peer(1, one.address)
        },
    )]);
    two.transport.set_directory(unreachable.unwrap());
    (one, two, line)
}

fn opened(node: &Node, carrier: Carrier) -> u64 {
    node.transport.metrics().connections_opened_by_carrier[&carrier]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quic_is_taken_where_both_pass_and_requests_go_both_ways_on_it() {
    let (one, two) = pair().await;
    assert_eq!(one.ask(&two, "who").await.unwrap(), "350100-01 Submit");
    assert_eq!(two.ask(&one, "who").await.unwrap(), "350100-02 Submit");
    assert_eq!(
        (opened(&one, Carrier::Quic), opened(&two, Carrier::Quic)),
        (1, 1)
    );
    assert_eq!(
        one.transport.metrics().connections_by_carrier[&Carrier::Quic],
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_talk_where_only_udp_passes() {
    let (one, two, line) = over_a_line().await;
    line.cut(true, false);
    assert_eq!(one.ask_until_answered(&two, "by udp").await, "by udp");
    assert_eq!(opened(&one, Carrier::Tcp), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_talk_over_tcp_where_udp_is_cut() {
    let (one, two, line) = over_a_line().await;
    line.cut(false, true);
    assert_eq!(one.ask_until_answered(&two, "by tcp").await, "by tcp");
    assert_eq!(opened(&one, Carrier::Quic), 0);
    assert_eq!(opened(&two, Carrier::Tcp), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_survives_the_switch_from_one_to_the_other_and_back() {
    let (one, two, line) = over_a_line().await;
    assert!(one.ask(&two, "by quic").await.is_ok());
    assert_eq!(opened(&one, Carrier::Quic), 1);

    line.cut(false, true);
    eventually("the cut is noticed", || {
        one.transport.connected().is_empty()
    })
    .await;
    assert_eq!(one.ask_until_answered(&two, "by tcp").await, "by tcp");
    assert_eq!(opened(&one, Carrier::Tcp), 1);

    line.cut(true, false);
    eventually("the other cut is noticed", || {
        one.transport.connected().is_empty()
    })
    .await;
    assert_eq!(
        one.ask_until_answered(&two, "by quic again").await,
        "by quic again"
    );
    assert_eq!(opened(&one, Carrier::Quic), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_quic_and_one_with_it_meet_over_tcp() {
    let (with, without) = (Node::start(1).await, Node::start_without_quic(2).await);
    with.knows(&[&without]);
    without.knows(&[&with]);
    assert_eq!(with.ask_until_answered(&without, "hello").await, "hello");
    assert_eq!(without.ask_until_answered(&with, "hello").await, "hello");
    assert_eq!(
        opened(&with, Carrier::Quic) + opened(&without, Carrier::Quic),
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_enrolled_nodes_pass_by_quic_as_well() {
    let (one, two, line) = over_a_line().await;
    line.cut(true, false);
    two.knows(&[]);
    let refused = one.ask(&two, "let me in").await;
    assert_eq!(refused, Err(TransportError::Unreachable { peer: two.id() }));
    assert!(two.transport.metrics().denied[&Denial::NotEnrolled] >= 1);
    assert_eq!(two.service.started(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_tells_what_it_runs_on_and_what_went_wrong() {
    let (one, two, line) = over_a_line().await;
    let report = || {
        let links = one.transport.links();
        assert_eq!(links.len(), 1);
        assert_eq!(links[0].0, two.id());
        links[0].1.clone()
    };
    assert_eq!(report().report.state, LinkState::Idle);
    let key = keypair(2).public().to_peer_id().to_string();
    assert_eq!(report().peer_id, key);

    let round_trip = one.transport.ping(two.id(), LONG).await.unwrap();
    assert!(!round_trip.is_zero() && round_trip < LONG);
    let is_on_quic = |report: &LinkReport| {
        let carrier = Carrier::Quic;
        matches!(report.state, LinkState::Connected { carrier: on, .. } if on == carrier)
    };
    assert!(is_on_quic(&report().report) && report().report.last_error.is_none());
    let stranger = one.transport.ping(node_id(7), LONG).await;
    assert_eq!(
        stranger,
        Err(TransportError::NotEnrolled { peer: node_id(7) })
    );

    line.cut(true, true);
    eventually("the loss is told", || {
        report()
            .report
            .last_error
            .is_some_and(|(error, _)| error == LinkError::Lost)
    })
    .await;
    let lost = one
        .transport
        .ping(two.id(), Duration::from_millis(300))
        .await;
    assert!(lost.is_err());
    eventually("it waits to dial", || {
        matches!(report().report.state, LinkState::Waiting { .. })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_is_missed_long_before_its_silence_counts() {
    let patient = Tuning {
        keepalive_interval: Duration::from_millis(50),
        keepalive_timeout: 10 * LONG,
        probe_after: Duration::from_millis(200),
        ..Tuning::default()
    };
    let (one, two) = (Node::start_tuned(1, patient).await, Node::start(2).await);
    let line = Line::to(two.address).await;
    one.transport
        .set_directory(Directory::new([(two.id(), peer(2, line.address))]).unwrap());
    two.knows(&[&one]);
    assert!(one.ask(&two, "hello").await.is_ok());
    eventually("connected", || !one.transport.connected().is_empty()).await;
    assert_eq!(opened(&one, Carrier::Quic), 1);
    line.kill();
    eventually("it is missed", || one.transport.connected().is_empty()).await;
    assert_eq!(one.transport.metrics().connections_dead, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_left_comes_back_by_quic_where_tcp_is_refused() {
    let hasty = Tuning {
        probe_after: Duration::from_millis(200),
        keepalive_timeout: 10 * LONG,
        ..WATCHFUL()
    };
    let (one, two) = (Node::start_tuned(1, hasty).await, Node::start(2).await);
    let line = Line::to(two.address).await;
    one.transport
        .set_directory(Directory::new([(two.id(), peer(2, line.address))]).unwrap());
    two.knows(&[&one]);
    assert_eq!(one.ask_until_answered(&two, "by quic").await, "by quic");
    eventually("connected", || !one.transport.connected().is_empty()).await;
    line.kill();
    eventually("it is left", || one.transport.connected().is_empty()).await;
    // A moment later UDP passes again, and TCP is refused as before.
    line.cut(false, false);
    assert_eq!(one.ask_until_answered(&two, "again").await, "again");
    assert_eq!(opened(&one, Carrier::Quic), 2);
    assert_eq!(opened(&one, Carrier::Tcp), 0);
}
