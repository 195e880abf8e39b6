//! Requests and answers between two honest nodes.

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_runtime::seams::{Lane, Transport, TransportError};
use tongban_types::Code;
use tongban_types::limits::FRAME_BYTES_MAX;

use crate::support::{LONG, Node, eventually, pair};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_exchange_in_both_directions() {
    let (one, two) = pair().await;
    assert_eq!(one.ask(&two, "who").await.unwrap(), "350100-01 Submit");
    assert_eq!(two.ask(&one, "who").await.unwrap(), "350100-02 Submit");
    eventually("both see each other", || {
        one.transport.connected() == [two.id()] && two.transport.connected() == [one.id()]
    })
    .await;
    assert!(one.transport.latency(two.id()).is_some());
    assert_eq!(
        one.transport.metrics().connections,
        1,
        "the second request took the first connection"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lane_carries_requests() {
    let (one, two) = pair().await;
    for lane in Lane::ALL {
        let body = Bytes::from_static(b"who");
        let answer = one
            .transport
            .request(two.id(), lane, body, LONG)
            .await
            .unwrap();
        assert_eq!(answer, format!("350100-01 {lane:?}"));
        let metrics = one.transport.metrics().lanes[&lane];
        assert_eq!(
            (metrics.frames_out, metrics.bytes_out, metrics.frames_in),
            (1, 3, 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_start_in_the_order_they_were_sent() {
    let (one, two) = pair().await;
    let numbers: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let answers = join_all(numbers.iter().map(|number| one.ask(&two, number))).await;
    for (number, answer) in numbers.iter().zip(answers) {
        assert_eq!(answer.unwrap(), *number);
    }
    assert_eq!(*two.service.started.lock().unwrap(), numbers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_answer_does_not_block_a_later_one() {
    let (one, two) = pair().await;
    let slow = one.ask(&two, "hold");
    tokio::pin!(slow);
    let later = async {
        eventually("the slow one is started", || two.service.started() == 1).await;
        one.ask(&two, "later").await
    };
    tokio::select! {
        biased;
        _ = &mut slow => panic!("the held request was answered"),
        answer = later => assert_eq!(answer.unwrap(), "later"),
    }
    two.service.release.add_permits(1);
    assert_eq!(slow.await.unwrap(), "released");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_travels_with_its_code() {
    let (one, two) = pair().await;
    let refused = TransportError::Refused {
        peer: two.id(),
        code: Code::STALE_VERSION,
    };
    assert_eq!(one.ask(&two, "refuse").await, Err(refused));
    assert_eq!(one.transport.metrics().lanes[&Lane::Submit].refused, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_frames_pass_and_a_larger_answer_is_refused() {
    let (one, two) = pair().await;
    let body = Bytes::from(vec![7; FRAME_BYTES_MAX]);
    let asked: Vec<_> = (0..3)
        .map(|_| {
            one.transport
                .request(two.id(), Lane::RaftSnapshot, body.clone(), LONG)
        })
        .collect();
    for answer in join_all(asked).await {
        assert!(
            answer.unwrap() == body,
            "the body came back other than it went"
        );
    }
    let refused = TransportError::Refused {
        peer: two.id(),
        code: Code::ANSWER_TOO_LARGE,
    };
    assert_eq!(one.ask(&two, "too large").await, Err(refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_dial_each_other_at_once_settle() {
    for _ in 0..5 {
        let (one, two) = pair().await;
        let (there, back) = tokio::join!(one.ask(&two, "a"), two.ask(&one, "b"));
        assert_eq!((there.unwrap(), back.unwrap()), ("a".into(), "b".into()));
        eventually("both see each other", || {
            !one.transport.connected().is_empty() && !two.transport.connected().is_empty()
        })
        .await;
        for _ in 0..50 {
            let (there, back) = tokio::join!(one.ask(&two, "a"), two.ask(&one, "b"));
            assert!(there.is_ok() && back.is_ok());
        }
        eventually("both count the same connections", || {
            let (one, two) = (one.transport.metrics(), two.transport.metrics());
            one.connections == two.connections && one.connections_opened == one.connections
        })
        .await;
        let opened = one.transport.metrics().connections_opened;
        assert!(opened <= 2, "{opened} connections");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_nodes_that_start_at_once_all_reach_each_other() {
    let nodes = join_all((1..=6).map(Node::start)).await;
    for node in &nodes {
        node.knows(&nodes.iter().collect::<Vec<_>>());
    }
    let mut asked = Vec::new();
    for from in &nodes {
        for to in nodes.iter().filter(|to| to.number != from.number) {
            asked.push(from.ask(to, "hello"));
        }
    }
    for answer in join_all(asked).await {
        assert_eq!(answer.unwrap(), "hello");
    }
}
