//! Lists of cases: their pages, what a query may ask of them, and how many there are.

use std::sync::atomic::Ordering;

use serde_json::Value;
use tongban_types::CaseState;

use crate::case::{number, record};
use crate::node::Asked;
use crate::world::World;

#[tokio::test]
async fn what_only_this_desk_has_is_listed_too() {
    let world = World::new();
    let all = world.get("clerk", "/api/v1/cases").await.json();
    assert_eq!(all["stored"][0]["number"], number().to_string());
    assert_eq!(all["stored"][0]["refused"], "TB3023");
    assert!(!all.to_string().contains("610502199001010003"));
    let cursor = all["next"].as_str().unwrap();
    let next = format!("/api/v1/cases?cursor={cursor}");
    assert_eq!(
        world.get("clerk", &next).await.json()["stored"],
        Value::Null
    );
    let only = world
        .get("clerk", "/api/v1/cases?state=stored&limit=1")
        .await;
    assert!(only.header("link").contains("state=stored&limit=1&cursor="));
    let body = only.json();
    assert_eq!(body["cases"].as_array().unwrap().len(), 0);
    assert_eq!(body["stored"][0]["collected_by"]["person"], "lin");
}

#[tokio::test]
async fn lists_are_paged_by_a_cursor_and_a_link() {
    let world = World::new();
    let reply = world
        .get("supervisor", "/api/v1/cases?state=received&limit=1")
        .await;
    assert_eq!(reply.status, 200);
    assert!(matches!(
        world.asked_one(),
        Asked::Cases(Some(CaseState::Received), None, 1)
    ));
    let body = reply.json();
    assert_eq!(body["cases"][0]["number"], number().to_string());
    assert!(!body.to_string().contains("610502199001010003"));
    let link = reply.header("link");
    let next = link
        .strip_prefix('<')
        .unwrap()
        .strip_suffix(">; rel=\"next\"")
        .unwrap();
    assert!(next.contains("state=received") && next.contains("limit=1"));
    let reply = world.get("supervisor", next).await;
    assert_eq!(reply.header("link"), "");
    assert_eq!(reply.json()["next"], Value::Null);
    let Asked::Cases(_, Some(from), 1) = world.asked_one() else {
        panic!("another page");
    };
    assert_eq!(from, number());
}

#[tokio::test]
async fn query_parameters_are_known_single_and_in_range() {
    let world = World::new();
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1&limit=2",
        "state=lost",
        "cursor=!",
        "sort=up",
        "limit=%zz&x",
        "fresh=maybe",
    ] {
        let address = format!("/api/v1/cases?{query}");
        world.get("clerk", &address).await.problem(400, "TB7010");
    }
    for address in [
        "/api/v1/items?x=1",
        "/api/v1/status?x",
        "/api/v1/registry?x=",
        "/livez?x=1",
        "/metrics?x",
        "/problems/TB7001?x",
    ] {
        world.get("auditor", address).await.problem(400, "TB7010");
    }
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn a_list_is_narrowed_and_counted_where_that_is_asked() {
    let world = World::new();
    let list = async |query: &str| {
        let reply = world.get("clerk", &format!("/api/v1/cases?{query}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    };
    let envelope = record().envelope;
    let fitting = format!(
        "intake={}&authority={}",
        envelope.intake, envelope.authority
    );
    let page = list(&fitting).await;
    assert_eq!(
        page["cases"].as_array().unwrap().len(),
        2,
        "both pages: {page}"
    );
    assert!(
        page.get("stored").is_none() && page.get("count").is_none(),
        "{page}"
    );
    let none = list(&format!("intake={}", envelope.authority)).await;
    assert_eq!(
        (none["cases"].as_array().unwrap().len(), &none["next"]),
        (0, &Value::Null)
    );
    let none = list("item=ZZZZZZZZZZZZ").await;
    assert!(none["cases"].as_array().unwrap().is_empty());
    let counted = list("count=exact").await;
    assert_eq!(counted["count"]["exact"], true, "{counted}");
    for bad in [
        "count=about",
        "item=ZZZZZZZZZZZZ&state=stored",
        "count=exact&state=stored",
        "authority=x&state=stored",
        "intake=350102",
        "item=x",
        "limit=+5",
        "limit=101",
        "fresh=",
    ] {
        let reply = world.get("clerk", &format!("/api/v1/cases?{bad}")).await;
        let status = if bad.ends_with("state=stored") {
            422
        } else {
            400
        };
        let problem = reply.problem(status, "TB7010");
        assert_eq!(
            problem["errors"][0]["pointer"],
            bad.split('=').next().unwrap()
        );
    }
}

#[tokio::test]
async fn counting_ends_however_many_cases_there_are_and_few_match() {
    let world = World::new();
    world.node.is_endless.store(true, Ordering::SeqCst);
    let reply = world
        .get("auditor", "/api/v1/cases?count=exact&item=ZZZZZZZZZZZZ")
        .await;
    let counted = &reply.json()["count"];
    assert_eq!(
        (&counted["cases"], &counted["exact"]),
        (&0.into(), &false.into())
    );
    let asked = world.node.take_asked();
    let at_once = |asked: &&Asked| matches!(asked, Asked::Cases(_, _, 500));
    assert_eq!(asked.iter().filter(at_once).count() * 500, 100_000);
}
