//! Watching a node: its status and health, what it counts, and the traces of requests.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Method;
use tongban_api::RequestTrace;

use crate::case::number;
use crate::world::{World, request};

#[tokio::test]
async fn status_begins_with_how_many_voters_may_be_lost() {
    let world = World::new();
    let reply = world.get("operator", "/api/v1/status").await;
    assert!(reply.body.starts_with(b"{\"can_lose\":1,"));
    let body = reply.json();
    assert_eq!(body["groups"].as_array().unwrap().len(), 2);
    assert_eq!(body["groups"][0]["voters_in_touch"], 3);
    assert_eq!(body["connected"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_node_without_its_own_group_does_not_give_anothers_figures_as_its_own() {
    let world = World::new();
    world.node.report.lock().unwrap().groups.remove(0);
    let body = world.get("operator", "/api/v1/status").await.json();
    assert_eq!(body["can_lose"], 0);
    assert_eq!(body["groups"][0]["can_lose"], 1);
}

#[tokio::test]
async fn health_is_open_and_a_node_without_a_quorum_is_ready_for_balancers_alone() {
    let world = World::new();
    for address in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(world.get("", address).await.status, 200);
    }
    world.node.report.lock().unwrap().groups[0].has_quorum = false;
    let problem = world.get("", "/readyz").await.problem(503, "TB7018");
    assert_eq!(problem["errors"][0]["pointer"], "quorum");
    world
        .get("", "/readyz?exclude=log")
        .await
        .problem(400, "TB7010");
    world
        .get("", "/livez?exclude=quorum")
        .await
        .problem(400, "TB7010");
    let body = world.get("", "/readyz?exclude=quorum&verbose").await.json();
    let checks = body["checks"].as_array().unwrap();
    let quorum = checks
        .iter()
        .find(|check| check["name"] == "quorum")
        .unwrap();
    assert_eq!(
        (&quorum["ok"], &quorum["required"]),
        (&false.into(), &false.into())
    );
    world.node.report.lock().unwrap().failed = true;
    for address in ["/livez", "/startupz"] {
        let problem = world.get("", address).await.problem(503, "TB7018");
        assert_eq!(problem["errors"][0]["pointer"], "log");
    }
}

#[tokio::test]
async fn a_node_whose_own_group_does_not_run_here_has_come_up_and_takes_nothing_in() {
    let world = World::new();
    world.node.report.lock().unwrap().groups[0].status.stopped = true;
    let problem = world.get("", "/readyz").await.problem(503, "TB7018");
    assert_eq!(problem["errors"][0]["pointer"], "group");
    // What supervises it would end it again and again, and with it what it does for other cities.
    for address in ["/livez", "/startupz"] {
        assert_eq!(world.get("", address).await.status, 200);
    }
}

#[tokio::test]
async fn a_node_whose_state_is_being_filled_is_alive_and_not_ready() {
    let world = World::new();
    world.node.is_filling.store(true, Ordering::SeqCst);
    // Nor does it take in meanwhile: whoever leaves the quorum aside passes it over too.
    for address in ["/readyz", "/readyz?exclude=quorum"] {
        let problem = world.get("", address).await.problem(503, "TB7018");
        assert_eq!(problem["errors"][0]["pointer"], "state");
    }
    for address in ["/livez", "/startupz"] {
        assert_eq!(world.get("", address).await.status, 200);
    }
    world.node.is_filling.store(false, Ordering::SeqCst);
    assert_eq!(world.get("", "/readyz").await.status, 200);
}

#[tokio::test]
async fn requests_and_refusals_are_counted_by_pattern_and_code() {
    let world = World::new();
    let case = format!("/api/v1/cases/{}", number());
    world.get("clerk", &case).await;
    world.get("", &case).await;
    let reply = world.get("operator", "/metrics").await;
    assert_eq!(
        reply.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = String::from_utf8(reply.body).unwrap();
    for line in [
        "tongban_api_requests_total{method=\"GET\",route=\"/api/v1/cases/{number}\",status=\"200\"} 1",
        "tongban_api_requests_total{method=\"GET\",route=\"/api/v1/cases/{number}\",status=\"401\"} 1",
        "tongban_api_refusals_total{code=\"TB7001\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains(&number().to_string()));
}

#[tokio::test]
async fn an_answer_carries_the_trace_it_was_asked_under() {
    let world = World::new();
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let asked = request(Method::GET, "", "/api/v1/cases")
        .header("traceparent", format!("00-{id}-00f067aa0ba902b7-01"))
        .body(Body::empty())
        .unwrap();
    let problem = world.send(asked).await.problem(401, "TB7001");
    assert_eq!(problem["trace_id"], id);
    let (first, second) = (world.get("", "/livez").await, world.get("", "/livez").await);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn whoever_collects_traces_is_given_the_ids_of_the_answer_and_what_it_goes_on_from() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let given = Arc::clone(&taken);
    let collects = move |_: &tracing::Span, trace: &RequestTrace| {
        given.lock().unwrap().push(*trace);
        trace.caller.is_none_or(|caller| caller.is_sampled)
    };
    let world = World::new().traced(Arc::new(collects));
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (caller, flags) in [(Some("01"), "01"), (Some("00"), "00"), (None, "01")] {
        let asked = request(Method::GET, "", "/livez");
        let asked = match caller {
            Some(kept) => asked.header("traceparent", format!("00-{id}-00f067aa0ba902b7-{kept}")),
            None => asked,
        };
        let reply = world.send(asked.body(Body::empty()).unwrap()).await;
        let trace: RequestTrace = taken.lock().unwrap().pop().unwrap();
        assert_eq!(reply.header("x-request-id"), trace.id.to_string());
        assert_eq!(
            reply.header("traceparent"),
            format!("00-{}-{}-{flags}", trace.id, trace.span)
        );
        let goes_on_from = trace.caller.map(|caller| caller.id.to_string());
        assert_eq!(goes_on_from.as_deref(), caller.map(|_| "00f067aa0ba902b7"));
        assert_eq!(trace.id.to_string() == id, caller.is_some());
    }
}
