//! What persons do to a case.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tongban_runtime::{Act, Refusal};
use tongban_types::{CaseState, CaseVersion, CommandId, Decision, sha256};

use crate::case::number;
use crate::node::{Asked, CATCHES_UP_IN};
use crate::world::{FORM, Reply, World, application, order, request};

fn address(act: &str) -> String {
    format!("/api/v1/cases/{}/{act}", number())
}

/// Sends an act that must succeed and gives what the node was asked.
async fn act(role: &str, name: &str, body: Value) -> Act {
    let world = World::new();
    let reply = world
        .post(role, &address(name), &body, &[("if-match", "\"3\"")])
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("etag"), "\"4\"");
    assert_eq!(reply.json()["version"], 4);
    match world.asked_one() {
        Asked::Act(actor, id, case, expected, act) => {
            let asker = sha256(role.as_bytes());
            assert_eq!(id, CommandId::derive(&asker.0, b"key-1"));
            assert_eq!(actor.role.name(), role);
            assert_eq!((case, expected), (number(), CaseVersion(3)));
            assert_eq!(act.name(), name);
            act
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_act_reaches_the_node_with_its_words() {
    assert!(matches!(
        act("clerk", "transfer", json!({})).await,
        Act::Transfer
    ));
    assert!(matches!(
        act("officer", "accept", json!({})).await,
        Act::Accept
    ));
    assert!(matches!(
        act("clerk", "deliver", json!({})).await,
        Act::Deliver
    ));
    let asked = act("officer", "ask-correction", json!({"notice": "缺结婚证"})).await;
    assert!(matches!(asked, Act::AskCorrection { notice } if notice == "缺结婚证"));
    let asked = act(
        "officer",
        "refuse-to-accept",
        json!({"reason": "不属本机关"}),
    )
    .await;
    assert!(matches!(asked, Act::RefuseToAccept { reason } if reason == "不属本机关"));
    let asked = act("clerk", "withdraw", json!({"reason": "本人要求"})).await;
    assert!(matches!(asked, Act::Withdraw { reason } if reason == "本人要求"));
    let body = json!({"recommend": "grant", "opinion": "符合条件"});
    let asked = act("officer", "review", body).await;
    assert!(
        matches!(asked, Act::Review { recommend: Decision::Grant, opinion } if opinion == "符合条件")
    );
    let asked = act("officer", "decide", json!({"decision": "grant"})).await;
    assert!(matches!(
        asked,
        Act::Decide {
            decision: Decision::Grant,
            reason: None
        }
    ));
    let body = json!({"decision": "refuse", "reason": "住所不实; 六十日内可申请复议"});
    let asked = act("officer", "decide", body).await;
    assert!(matches!(
        asked,
        Act::Decide {
            decision: Decision::Refuse,
            reason: Some(_)
        }
    ));
    let form: Value = serde_json::from_str(FORM).unwrap();
    let asked = act("clerk", "correct", json!({"form": form})).await;
    assert!(matches!(asked, Act::Correct { .. }));
}

#[tokio::test]
async fn an_act_without_words_needs_no_body() {
    let world = World::new();
    let bare = request(axum::http::Method::POST, "officer", &address("accept"))
        .header("idempotency-key", "k")
        .header("if-match", "\"3\"")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(world.send(bare).await.status, 200);
}

#[tokio::test]
async fn a_stale_version_fails_the_precondition_or_conflicts() {
    let world = World::new();
    let stale = [("if-match", "\"2\"")];
    let reply = world
        .post("officer", &address("accept"), &json!({}), &stale)
        .await;
    reply.problem(412, "TB3012");
    assert_eq!(reply.header("etag"), "\"3\"");
    let body = json!({"expected_version": 2});
    let reply = world.post("officer", &address("accept"), &body, &[]).await;
    reply.problem(409, "TB3012");
}

#[tokio::test]
async fn the_version_acted_on_is_said_once_and_rightly() {
    let world = World::new();
    let post = async |body: Value, headers: &[(&str, &str)]| {
        world
            .post("officer", &address("accept"), &body, headers)
            .await
    };
    post(json!({}), &[]).await.problem(428, "TB7013");
    post(json!({}), &[("if-match", "3")])
        .await
        .problem(412, "TB7014");
    let both = json!({"expected_version": 4});
    post(both, &[("if-match", "\"3\"")])
        .await
        .problem(412, "TB7014");
    post(json!({"expected_version": "3"}), &[])
        .await
        .problem(400, "TB7009");
    assert!(world.node.take_asked().is_empty());
    let agreeing = json!({"expected_version": 3});
    assert_eq!(post(agreeing, &[("if-match", "\"3\"")]).await.status, 200);
}

#[tokio::test]
async fn words_must_be_there_and_bounded() {
    let world = World::new();
    let post = async |act: &str, body: Value| {
        let headers = [("if-match", "\"3\"")];
        world.post("officer", &address(act), &body, &headers).await
    };
    let problem = post("ask-correction", json!({}))
        .await
        .problem(400, "TB7009");
    assert_eq!(problem["errors"][0]["pointer"], "/notice");
    post("ask-correction", json!({"notice": " \n"}))
        .await
        .problem(400, "TB7009");
    let long = json!({"notice": "长".repeat(5_000)});
    post("ask-correction", long).await.problem(413, "TB1003");
    post("review", json!({"recommend": "maybe", "opinion": "x"}))
        .await
        .problem(400, "TB7009");
    post("accept", json!({"reason": "x"}))
        .await
        .problem(400, "TB7009");
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn a_correction_is_checked_by_the_cases_item_and_stays_the_same_case() {
    let world = World::new();
    let post = async |change: &dyn Fn(&mut Value)| {
        let mut form: Value = serde_json::from_str(FORM).unwrap();
        change(&mut form);
        let headers = [("if-match", "\"3\"")];
        world
            .post(
                "clerk",
                &address("correct"),
                &json!({"form": form}),
                &headers,
            )
            .await
    };
    let phone = |form: &mut Value| form["applicant"]["phone"] = json!("1");
    let problem = post(&phone).await.problem(422, "TB7015");
    assert_eq!(problem["errors"][0]["pointer"], "/form/applicant/phone");
    let elsewhere = |form: &mut Value| form["move_in"]["division"] = json!("621102");
    let problem = post(&elsewhere).await.problem(422, "TB7015");
    assert_eq!(problem["errors"][0]["pointer"], "/form/move_in/division");
    let somebody = |form: &mut Value| {
        form["applicant"]["id_number"] = json!("621102199001010004");
    };
    let problem = post(&somebody).await.problem(422, "TB7015");
    assert_eq!(problem["errors"][0]["keyword"], "subject");
    assert!(world.node.take_asked().is_empty());
    let reason = |form: &mut Value| form["remark"] = json!("已补结婚证");
    assert_eq!(post(&reason).await.status, 200);
}

/// Sends a correction that changes nothing.
async fn correct(world: &World) -> Reply {
    let form: Value = serde_json::from_str(FORM).unwrap();
    let (address, body) = (address("correct"), json!({"form": form}));
    let headers = [("if-match", "\"3\"")];
    world.post("clerk", &address, &body, &headers).await
}

#[tokio::test]
async fn a_case_still_at_the_desk_is_corrected_by_its_receipts_item() {
    let world = World::new();
    world.node.case.lock().unwrap().record = None;
    assert_eq!(correct(&world).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_correction_waits_for_a_node_that_does_not_show_its_case_yet() {
    let world = World::new();
    world.node.lags.store(true, Ordering::SeqCst);
    let reply = correct(&world).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_correction_waited_for_its_case_is_gone_for_its_answer() {
    let world = World::new();
    let waited = || *world.node.waited.lock().unwrap();
    assert_eq!(correct(&world).await.status, 200);
    assert!(waited() < CATCHES_UP_IN, "{:?}", waited());
    world.node.lags.store(true, Ordering::SeqCst);
    assert_eq!(correct(&world).await.status, 200);
    assert!(waited() >= CATCHES_UP_IN, "{:?}", waited());
}

#[tokio::test]
async fn refusals_of_the_machine_have_their_status() {
    for (refusal, status, code) in [
        (Refusal::WrongState(CaseState::Granted), 409, "TB3013"),
        (Refusal::NotOwner, 409, "TB3014"),
        (Refusal::NotTheAuthority, 403, "TB3015"),
        (Refusal::RequestPending, 409, "TB3016"),
        (Refusal::NoticeAlreadyGiven, 409, "TB3017"),
        (Refusal::NoticeTooLate, 409, "TB3018"),
        (Refusal::ReviewerMayNotDecide, 403, "TB3019"),
        (Refusal::ReasonMissing, 422, "TB3020"),
        (Refusal::AlreadyDecided, 409, "TB3034"),
        (Refusal::IdReused, 422, "TB3008"),
        (Refusal::NoSuchCase, 404, "TB3011"),
        (Refusal::NoRegistry, 503, "TB3005"),
    ] {
        let world = World::new();
        world.node.refuse(refusal);
        let headers = [("if-match", "\"3\"")];
        let reply = world
            .post("officer", &address("accept"), &json!({}), &headers)
            .await;
        reply.problem(status, code);
    }
}

#[tokio::test]
async fn an_idempotency_key_is_required_everywhere_something_is_done() {
    let world = World::new();
    let mut addresses = vec!["/api/v1/cases".to_owned()];
    for act in ["transfer", "correct", "deliver", "withdraw"] {
        addresses.push(address(act));
    }
    for address in addresses {
        for key in ["", "two words", &"k".repeat(256)] {
            let request = request(axum::http::Method::POST, "clerk", &address)
                .header("content-type", "application/json")
                .header("if-match", "\"3\"")
                .header("idempotency-key", key)
                .body("{}".into())
                .unwrap();
            world.send(request).await.problem(400, "TB7012");
        }
    }
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn what_was_ordered_is_carried_out_though_the_client_has_gone() {
    let accept = order(
        "officer",
        &address("accept"),
        &json!({}),
        &[("if-match", "\"3\"")],
    );
    let collect = order("clerk", "/api/v1/cases", &application(), &[]);
    for request in [accept, collect] {
        let world = World::new();
        let stalled = world.node.stall_disk();
        world.hang_up(request).await;
        drop(stalled);
        world.node.until_done(1).await;
    }
}
