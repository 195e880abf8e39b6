//! Documents as a list.

use serde_json::Value;
use tongban_runtime::DocumentList;
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_types::{CaseNumber, Hash};

use crate::case::{granted, number};
use crate::node::Asked;
use crate::world::World;

#[tokio::test]
async fn documents_are_listed_with_their_type_and_hash_and_nothing_of_what_stands_in_them() {
    let world = World::new();
    let reply = world.get("auditor", "/api/v1/documents").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(matches!(world.asked_one(), Asked::Documents(None, None, _)));
    let body = reply.json();
    let document = &body["documents"][0];
    assert_eq!(document["case"], number().to_string());
    assert_eq!(document["kind"], "urn:tongban:vct:hukou-migration-permit:1");
    assert_eq!(document["stage"], "issued");
    assert_eq!(document["sha256"], Hash([1; 32]).to_string());
    assert_eq!(document["issuer"]["name"], "渭南市");
    assert_eq!(document["granted_at"], "2026-11-24T08:00:00.000+08:00");
    assert!(!body.to_string().contains("610502199001010003"));
}

#[tokio::test]
async fn documents_are_paged_by_a_cursor_and_a_link() {
    let world = World::new();
    let first = "/api/v1/documents?state=pending&limit=1";
    let reply = world.get("clerk", first).await;
    assert!(matches!(
        world.asked_one(),
        Asked::Documents(Some(DocumentList::Pending), None, 1)
    ));
    let link = reply.header("link");
    let next = link
        .strip_prefix('<')
        .unwrap()
        .strip_suffix(">; rel=\"next\"")
        .unwrap();
    assert!(next.starts_with("/api/v1/documents?state=pending&limit=1&cursor="));
    let reply = world.get("clerk", next).await;
    assert_eq!(reply.header("link"), "");
    assert_eq!(reply.json()["next"], Value::Null);
    let Asked::Documents(_, Some(from), 1) = world.asked_one() else {
        panic!("another page");
    };
    assert_eq!(from, number());
}

#[tokio::test]
async fn the_document_of_one_case_is_found_without_a_list() {
    let world = World::new();
    let of_case = format!("/api/v1/documents?case={}", number());
    let none = world.get("clerk", &of_case).await.json();
    assert_eq!(none["documents"], Value::Array(Vec::new()));
    world.node.case.lock().unwrap().record = Some(granted());
    let one = world.get("clerk", &of_case).await.json();
    assert_eq!(one["documents"][0]["stage"], "issued");
    let pending = format!("{of_case}&state=pending");
    let none = world.get("clerk", &pending).await.json();
    assert_eq!(none["documents"], Value::Array(Vec::new()));
    // A case of others is no case here.
    let node = SampleFederation::node(0);
    let stranger = CaseNumber::new(node.city(), SAMPLE_NOW.china_day(), node.number(), 2).unwrap();
    let of_stranger = format!("/api/v1/documents?case={stranger}");
    let none = world.get("clerk", &of_stranger).await;
    assert_eq!(none.status, 200, "{none:?}");
    assert_eq!(none.json()["documents"], Value::Array(Vec::new()));
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn an_item_narrows_the_list_and_a_bounded_number_is_looked_through() {
    let world = World::new();
    let of = |item: &str| format!("/api/v1/documents?item={item}&limit=1");
    let found = world.get("clerk", &of("000109900001")).await.json();
    assert_eq!(found["documents"].as_array().unwrap().len(), 1);
    world.node.take_asked();
    world
        .node
        .is_endless
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let none = world.get("clerk", &of("002014900001")).await.json();
    assert_eq!(none["documents"], Value::Array(Vec::new()));
    assert!(none["next"].is_string(), "it goes on where looking ended");
    assert_eq!(world.node.take_asked().len(), 40);
}

#[tokio::test]
async fn what_no_list_is_narrowed_by_is_refused() {
    let world = World::new();
    for query in [
        "state=lost",
        "case=1",
        "item=x",
        "cursor=!",
        "limit=0",
        "kind=x",
    ] {
        let address = format!("/api/v1/documents?{query}");
        world.get("clerk", &address).await.problem(400, "TB7010");
    }
    let mistyped = "/api/v1/documents?case=00000000000000000000000";
    let problem = world.get("clerk", mistyped).await.problem(422, "TB7010");
    let fault = &problem["errors"][0];
    let (zh, en) = ("末位为校验码", "the last character checks the others");
    assert!(fault["message"].as_str().unwrap().contains(zh), "{fault}");
    assert!(
        fault["message_en"].as_str().unwrap().contains(en),
        "{fault}"
    );
    assert!(world.node.take_asked().is_empty());
}
