//! Streams of events.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tongban_types::CaseState;

use crate::case::number;
use crate::node::Asked;
use crate::world::{World, request};

/// One event as it came.
#[derive(Debug, PartialEq)]
struct Came {
    kind: String,
    id: Option<String>,
    says: Value,
}

struct Listener {
    body: Body,
}

impl Listener {
    async fn of(world: &World, address: &str, last: Option<&str>) -> Self {
        let mut asked = request(Method::GET, "clerk", address);
        if let Some(last) = last {
            asked = asked.header("last-event-id", last);
        }
        let response = world.open(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
        }
    }

    /// The next event; comments are passed over.
    async fn next(&mut self) -> Option<Came> {
        loop {
            let frame = self.body.frame().await?.unwrap();
            let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
            if text.starts_with(':') {
                continue;
            }
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.map(str::to_owned)
            };
            return Some(Came {
                kind: field("event: ").unwrap(),
                id: field("id: "),
                says: serde_json::from_str(&field("data: ").unwrap()).unwrap(),
            });
        }
    }
}

const EVENTS: &str = "/api/v1/events";

#[tokio::test]
async fn changes_come_as_they_are_made_and_go_on_behind_the_last_one_seen() {
    let world = World::new();
    world.node.change(CaseState::Collected);
    let mut listener = Listener::of(&world, EVENTS, None).await;
    let from = listener.next().await.unwrap();
    assert_eq!(
        (from.kind.as_str(), from.id.as_deref()),
        ("from", Some("1-1"))
    );
    world.node.change(CaseState::Received);
    let second = listener.next().await.unwrap();
    assert_eq!(
        (second.kind.as_str(), second.id.as_deref()),
        ("change", Some("2-1"))
    );
    assert_eq!(second.says["state"], "received");
    assert_eq!(second.says["case"], number().to_string());
    assert_eq!(second.says.as_object().unwrap().len(), 5, "{second:?}");
    drop(listener);
    world.node.change(CaseState::Accepted);
    let mut again = Listener::of(&world, EVENTS, Some("2-1")).await;
    let third = again.next().await.unwrap();
    assert_eq!(
        (third.id.as_deref(), &third.says["state"]),
        (Some("3-1"), &"accepted".into())
    );
}

#[tokio::test]
async fn what_is_no_longer_held_is_said_and_nothing_is_passed_over() {
    let world = World::new();
    (0..9).for_each(|_| world.node.change(CaseState::Received));
    world
        .node
        .held_from
        .store(5, std::sync::atomic::Ordering::SeqCst);
    // The last one is ahead of all there is: it is another city's, or was mistyped.
    for last in ["4-1", "nonsense", "7", "-1-1", "10-1"] {
        let asked = request(Method::GET, "clerk", EVENTS).header("last-event-id", last);
        let reply = world.send(asked.body(Body::empty()).unwrap()).await;
        reply.problem(410, "TB7021");
    }
    let mut listener = Listener::of(&world, EVENTS, Some("5-1")).await;
    assert_eq!(listener.next().await.unwrap().id.as_deref(), Some("6-1"));
    // Before that it was asked whether the rest of the group is so far.
    assert!(matches!(world.node.take_asked()[..], [Asked::CatchUp]));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_cut_off_with_the_reason_and_goes_on_from_there() {
    let world = World::new();
    let mut listener = Listener::of(&world, EVENTS, Some("0-0")).await;
    (0..500).for_each(|_| world.node.change(CaseState::Received));
    // Nobody reads for longer than a full buffer is waited for.
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    let mut last = String::new();
    let mut came = 0;
    let end = loop {
        let event = listener.next().await.unwrap();
        let Some(id) = event.id.clone() else {
            break event;
        };
        last = id;
        came += 1;
    };
    assert!(came < 100, "the buffer is bounded: {came}");
    assert_eq!(
        (end.kind.as_str(), &end.says["code"]),
        ("end", &"TB7023".into())
    );
    assert!(listener.next().await.is_none());
    let mut again = Listener::of(&world, EVENTS, Some(&last)).await;
    let next = again.next().await.unwrap().id.unwrap();
    assert_eq!(next, format!("{}-1", came + 1));
}

#[tokio::test]
async fn only_who_may_read_the_list_may_listen() {
    let world = World::new();
    for address in [
        EVENTS.to_owned(),
        format!("/api/v1/cases/{}/events", number()),
    ] {
        world.get("operator", &address).await.problem(403, "TB7003");
        world.get("", &address).await.problem(401, "TB7001");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_has_its_share_of_streams_and_gets_back_those_that_were_cut_off() {
    let world = World::new();
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(Listener::of(&world, EVENTS, Some("0-0")).await);
    }
    world.get("clerk", EVENTS).await.problem(503, "TB7022");
    let asked = request(Method::GET, "officer", EVENTS).body(Body::empty());
    let other = world.open(asked.unwrap()).await;
    assert_eq!(other.status(), StatusCode::OK);
    (0..500).for_each(|_| world.node.change(CaseState::Received));
    // Nobody reads, and nobody lets go of what was answered.
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    Listener::of(&world, EVENTS, Some("0-0")).await;
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_step_seen_at_a_node_that_is_ahead_is_not_sent_again() {
    let world = World::new();
    let address = format!("/api/v1/cases/{}/events", number());
    let mut listener = Listener::of(&world, &address, Some("4")).await;
    let patience = std::time::Duration::from_mins(1);
    let sent = tokio::time::timeout(patience, listener.next()).await;
    assert!(sent.is_err(), "{sent:?}");
}

#[tokio::test]
async fn a_case_is_followed_by_its_versions() {
    let world = World::new();
    let address = format!("/api/v1/cases/{}/events", number());
    let mut listener = Listener::of(&world, &address, None).await;
    let now = listener.next().await.unwrap();
    assert_eq!((now.kind.as_str(), now.id.as_deref()), ("step", Some("3")));
    assert_eq!(now.says["state"], "correction-asked");
    let mut whole = Listener::of(&world, &address, Some("0")).await;
    assert_eq!(whole.next().await.unwrap().id.as_deref(), Some("1"));
    assert_eq!(whole.next().await.unwrap().id.as_deref(), Some("3"));
}
