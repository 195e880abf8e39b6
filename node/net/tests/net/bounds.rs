//! Every bound refuses, and gives back what it held.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tongban_net::{Denial, Directory, Tuning};
use tongban_runtime::seams::{Lane, Transport, TransportError};
use tongban_types::Code;
use tongban_types::limits::FRAME_BYTES_MAX;

use crate::support::{LONG, Node, any_port, eventually, node_id, pair, pair_tuned, peer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_larger_than_a_frame_is_refused_before_it_is_sent() {
    let (one, two) = pair().await;
    let body = Bytes::from(vec![0; FRAME_BYTES_MAX + 1]);
    let refused = one
        .transport
        .request(two.id(), Lane::Parcel, body, Duration::from_secs(5))
        .await;
    let too_large = TransportError::TooLarge {
        bytes: FRAME_BYTES_MAX + 1,
        bytes_max: FRAME_BYTES_MAX,
    };
    assert_eq!(refused, Err(too_large));
    let metrics = one.transport.metrics();
    assert_eq!(metrics.connections_opened, 0);
    assert_eq!(metrics.lanes[&Lane::Parcel].frames_out, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_under_way_than_allowed_are_busy_and_room_comes_back() {
    let tuning = Tuning {
        requests_max: 2,
        ..Tuning::default()
    };
    let (one, two) = pair_tuned(tuning).await;
    let held = async { tokio::join!(one.ask(&two, "hold 1"), one.ask(&two, "hold 2")) };
    let third = async {
        eventually("two are under way", || two.service.started() == 2).await;
        let third = one.ask(&two, "third").await;
        two.service.release.add_permits(2);
        third
    };
    let ((first, second), third) = tokio::join!(held, third);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(third, Err(TransportError::Busy { peer: two.id() }));
    assert_eq!(one.transport.metrics().lanes[&Lane::Submit].busy, 1);
    assert_eq!(one.ask(&two, "fourth").await.unwrap(), "fourth");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_under_way_are_bounded() {
    let tuning = Tuning {
        request_bytes_max: 10,
        ..Tuning::default()
    };
    let (one, two) = pair_tuned(tuning).await;
    assert!(one.ask(&two, "ten bytes.").await.is_ok());
    assert_eq!(
        one.ask(&two, "eleven byte").await,
        Err(TransportError::Busy { peer: two.id() })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_ends_when_its_time_is_over_and_gives_its_place_back() {
    let tuning = Tuning {
        requests_max: 1,
        ..Tuning::default()
    };
    let (one, two) = pair_tuned(tuning).await;
    assert!(one.ask(&two, "connect").await.is_ok());
    let body = Bytes::from_static(b"hold");
    let ended = one
        .transport
        .request(two.id(), Lane::Submit, body, Duration::from_millis(40))
        .await;
    let timed_out = TransportError::TimedOut {
        peer: two.id(),
        after_ms: 40,
    };
    assert_eq!(ended, Err(timed_out));
    assert_eq!(one.transport.metrics().lanes[&Lane::Submit].timed_out, 1);
    two.service.release.add_permits(1);
    assert_eq!(one.ask(&two, "next").await.unwrap(), "next");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_out_of_time_when_its_turn_comes_is_not_started() {
    let tuning = Tuning {
        calls_max: 1,
        ..Tuning::default()
    };
    let (one, two) = pair_tuned(tuning).await;
    let ask = |lane, body: &'static str, ttl_ms| {
        let ttl = Duration::from_millis(ttl_ms);
        one.transport.request(two.id(), lane, body.into(), ttl)
    };
    let frames_in = || two.transport.metrics().lanes[&Lane::Submit].frames_in;
    let held = one.ask(&two, "hold");
    let late = async {
        eventually("the first is started", || two.service.started() == 1).await;
        let late = ask(Lane::Submit, "late", 40);
        let longer = async {
            eventually("the late one has arrived", || frames_in() == 2).await;
            // Held on another lane for longer than the late one lives, from when it arrived.
            ask(Lane::Parcel, "hold", 60).await
        };
        let (late, longer) = tokio::join!(late, longer);
        assert!(longer.is_err());
        two.service.release.add_permits(1);
        late
    };
    let (held, late) = tokio::join!(held, late);
    assert!(held.is_ok());
    assert!(matches!(late, Err(TransportError::TimedOut { .. })));
    eventually("the late one is dropped", || {
        two.transport.metrics().lanes[&Lane::Submit].expired == 1
    })
    .await;
    let started = two.service.started.lock().unwrap().clone();
    assert!(started.iter().all(|body| body == "hold"), "{started:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_requests_of_a_stream_run_at_once_than_allowed() {
    let tuning = Tuning {
        calls_max: 3,
        ..Tuning::default()
    };
    let (one, two) = pair_tuned(tuning).await;
    let asked = join_all((0..12).map(|_| one.ask(&two, "hold")));
    let release = async {
        for started in 3..=12 {
            eventually("the next is started", || two.service.started() == started).await;
            two.service.release.add_permits(1);
        }
        two.service.release.add_permits(2);
    };
    let (answers, ()) = tokio::join!(asked, release);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(two.service.running_most.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_away_is_unreachable_at_once_and_dialed_seldom() {
    let one = Node::start(1).await;
    let closed = TcpListener::bind(any_port()).await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let away = node_id(2);
    one.transport
        .set_directory(Directory::new([(away, peer(2, address))]).unwrap());
    for _ in 0..500 {
        let body = Bytes::from_static(b"anyone there");
        let asked = one
            .transport
            .request(away, Lane::Submit, body, Duration::from_mins(1))
            .await;
        assert_eq!(asked, Err(TransportError::Unreachable { peer: away }));
    }
    let dials = one.transport.metrics().dials_failed;
    assert!((1..20).contains(&dials), "{dials} dials");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_do_not_pile_up() {
    let tuning = Tuning {
        pending_max: 3,
        pending_per_address_max: 2,
        ..Tuning::default()
    };
    let node = Node::start_tuned(1, tuning).await;
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(tokio::net::TcpStream::connect(node.address).await.unwrap());
    }
    eventually("the third and later are denied", || {
        node.transport.metrics().denied[&Denial::PendingOfAddress] == 3
    })
    .await;
    drop(silent);
    eventually("the silent ones are counted", || {
        node.transport.metrics().handshakes_failed == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_in_all_are_bounded() {
    let tuning = Tuning {
        established_max: 1,
        ..Tuning::default()
    };
    let hub = Node::start_tuned(1, tuning).await;
    let (two, three) = (Node::start(2).await, Node::start(3).await);
    hub.knows(&[&two, &three]);
    two.knows(&[&hub]);
    three.knows(&[&hub]);
    assert!(two.ask(&hub, "first").await.is_ok());
    assert!(three.ask(&hub, "second").await.is_err());
    assert!(hub.transport.metrics().denied[&Denial::Established] >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greedy_peer_is_refused_with_a_code_keeps_its_connection_and_slows_nobody() {
    let tuning = Tuning {
        calls_of_peer_max: 4,
        peer_bytes_per_second: 1_000_000,
        peer_burst: Duration::from_millis(100),
        quota_wait_max: Duration::from_millis(50),
        ..Tuning::default()
    };
    let hub = Node::start_tuned(1, tuning).await;
    let (greedy, modest) = (Node::start(2).await, Node::start(3).await);
    hub.knows(&[&greedy, &modest]);
    greedy.knows(&[&hub]);
    modest.knows(&[&hub]);
    let over_quota = |asked: &Result<Bytes, TransportError>| {
        let refused = TransportError::Refused {
            peer: hub.id(),
            code: Code::PEER_OVER_QUOTA,
        };
        *asked == Err(refused)
    };
    // More at once than its share: those over it are refused, the others are held.
    let held = join_all((0..10).map(|_| greedy.ask(&hub, "hold")));
    let release = async {
        eventually("its share is under way", || hub.service.started() == 4).await;
        let refused = || hub.transport.metrics().lanes[&Lane::Submit].over_quota;
        eventually("the others are refused", || refused() == 6).await;
        let asked = std::time::Instant::now();
        assert!(modest.ask(&hub, "hello").await.is_ok());
        assert!(asked.elapsed() < Duration::from_secs(2));
        hub.service.release.add_permits(4);
    };
    let (answers, ()) = tokio::join!(held, release);
    assert_eq!(
        answers.iter().filter(|answer| over_quota(answer)).count(),
        6
    );
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);

    // More bytes a second than its share.
    let large = Bytes::from(vec![7; 120_000]);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..10 {
        let asked = greedy
            .transport
            .request(hub.id(), Lane::Parcel, large.clone(), LONG);
        let asked = asked.await;
        taken += usize::from(asked.is_ok());
        refused += usize::from(over_quota(&asked));
        assert!(modest.ask(&hub, "hello").await.is_ok());
    }
    assert_eq!(taken + refused, 10);
    assert!(taken > 0 && refused > 0, "{taken} taken");
    assert_eq!(greedy.transport.metrics().connections_opened, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_nobody_waits_for_any_longer_is_dropped() {
    let (one, two) = pair().await;
    // On a busy machine a connection takes longer than the request below may.
    assert_eq!(one.ask(&two, "first").await.unwrap(), "first");
    let body = Bytes::from_static(b"hold");
    let ttl = Duration::from_millis(100);
    let asked = one
        .transport
        .request(two.id(), Lane::Submit, body, ttl)
        .await;
    assert!(matches!(asked, Err(TransportError::TimedOut { .. })));
    eventually("the call is dropped", || {
        two.transport.metrics().lanes[&Lane::Submit].expired == 1
    })
    .await;
    two.service.release.add_permits(1);
    assert_eq!(one.ask(&two, "next").await.unwrap(), "next");
    // Nobody took the permit: the call that would have is gone.
    assert_eq!(two.service.release.available_permits(), 1);
}
