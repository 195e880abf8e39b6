//! Reading one case: what is shown of it, how fresh, its document and its receipt.

use tongban_runtime::{DocumentStage, NodeError};
use tongban_types::Hash;

use crate::case::{number, record, replicated_receipt, stored_case};
use crate::node::Asked;
use crate::world::World;

fn case() -> String {
    format!("/api/v1/cases/{}", number())
}

#[tokio::test]
async fn a_case_is_shown_with_history_due_dates_and_form() {
    let world = World::new();
    let reply = world.get("clerk", &case()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("etag"), "\"3\"");
    assert_eq!(reply.header("cache-control"), "no-store");
    let body = reply.json();
    assert_eq!(body["stored_only"], false);
    assert_eq!(body["case"]["state"], "correction-asked");
    assert_eq!(body["case"]["state_zh"], "补正中");
    assert_eq!(body["case"]["intake"]["name"], "福州市");
    assert_eq!(body["case"]["standpoint"], "mirror");
    assert_eq!(
        body["case"]["notice_due"]["at"],
        "2026-11-24T08:00:00.000+08:00"
    );
    assert_eq!(body["case"]["notice_due"]["provisional"], true);
    assert_eq!(body["case"]["collected_by"]["person"], "lin");
    assert_eq!(body["history"][0]["words"], "请补交结婚证");
    assert_eq!(body["form"]["applicant"]["id_number"], "610502199001010003");
}

#[tokio::test]
async fn a_case_stored_only_here_is_shown_at_version_zero() {
    let world = World::new();
    {
        let mut case = world.node.case.lock().unwrap();
        (case.record, case.stored) = (None, Some(stored_case()));
    }
    let reply = world.get("clerk", &case()).await;
    assert_eq!(reply.header("etag"), "\"0\"");
    let body = reply.json();
    assert_eq!(body["stored_only"], true);
    assert_eq!(body["stored"]["refused"], "TB3023");
    assert_eq!(body["form"]["applicant"]["id_number"], "610502199001010003");
}

#[tokio::test]
async fn a_fresh_read_catches_up_first_and_says_when_it_cannot() {
    let world = World::new();
    let fresh = format!("{}?fresh=true", case());
    assert_eq!(world.get("clerk", &fresh).await.status, 200);
    assert!(matches!(world.asked_one(), Asked::CatchUp));
    world.node.refuse(NodeError::NoQuorum);
    world.get("clerk", &fresh).await.problem(503, "TB4003");
    assert_eq!(world.get("clerk", &case()).await.status, 200);
}

#[tokio::test]
async fn a_read_that_took_too_long_is_not_told_that_it_may_still_be_carried_out() {
    let world = World::new();
    world.node.refuse(NodeError::NotCaughtUp);
    let lists = ["/api/v1/cases", "/api/v1/documents"].map(str::to_owned);
    for read in lists.into_iter().chain([case()]) {
        let fresh = format!("{read}?fresh=true");
        let reply = world.get("clerk", &fresh).await;
        let told = reply.problem(503, "TB4019").to_string();
        assert!(!reply.header("retry-after").is_empty(), "{fresh}");
        assert!(told.contains("没有改动任何内容"), "{told}");
        assert!(told.contains("this request changed nothing"), "{told}");
        assert!(!told.contains("Idempotency-Key"), "{told}");
    }
}

#[tokio::test]
async fn a_document_is_given_as_it_was_signed() {
    let world = World::new();
    let address = format!("{}/document", case());
    world.get("clerk", &address).await.problem(404, "TB7016");
    let mut owed = record();
    owed.document = DocumentStage::Owed;
    world.node.case.lock().unwrap().record = Some(owed.clone());
    world.get("clerk", &address).await.problem(404, "TB3021");
    owed.document = DocumentStage::Issued {
        hash: Hash([1; 32]),
    };
    world.node.case.lock().unwrap().record = Some(owed);
    world.get("clerk", &address).await.problem(503, "TB4004");
    world.node.case.lock().unwrap().document = Some("a.b.c~d~".to_owned());
    let reply = world.get("auditor", &address).await;
    assert_eq!(reply.header("content-type"), "application/dc+sd-jwt");
    assert_eq!(reply.body, b"a.b.c~d~");
}

#[tokio::test]
async fn a_receipt_is_given_as_safe_as_it_has_become() {
    let world = World::new();
    let address = format!("{}/receipt", case());
    assert_eq!(
        world.get("clerk", &address).await.json()["safety"],
        "stored"
    );
    world.node.case.lock().unwrap().receipt = Some(replicated_receipt());
    assert_eq!(
        world.get("clerk", &address).await.json()["safety"],
        "replicated"
    );
    world.node.case.lock().unwrap().receipt = None;
    world.get("clerk", &address).await.problem(404, "TB7017");
}
