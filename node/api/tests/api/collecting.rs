//! 收件.

use serde_json::{Value, json};
use tongban_runtime::{Application, NodeError, Oversized, Refusal, Wait};
use tongban_types::{Channel, CommandId, Role, sha256};

use crate::case::number;
use crate::node::Asked;
use crate::world::{World, application};

fn collected(asked: Asked) -> (CommandId, Application, Wait) {
    match asked {
        Asked::Collect(actor, id, application, wait) => {
            assert_eq!(actor.role, Role::Clerk);
            (id, application, wait)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_application_is_taken_in_with_a_stored_receipt() {
    let world = World::new();
    let reply = world
        .post("clerk", "/api/v1/cases", &application(), &[])
        .await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(
        reply.header("location"),
        format!("/api/v1/cases/{}", number())
    );
    assert_eq!(reply.header("preference-applied"), "");
    let body = reply.json();
    assert_eq!(body["case"], number().to_string());
    assert_eq!(body["receipt"]["safety"], "stored");
    assert_eq!(body["receipt"]["says"]["authority"]["name"], "渭南市");
    assert_eq!(body["receipt"]["signed"]["purpose"], "receipt-local");
    let signer = "AQEB".repeat(10) + "AQE";
    assert_eq!(body["receipt"]["signed"]["signer"], signer);
    let (id, asked, wait) = collected(world.asked_one());
    assert_eq!(id, CommandId::derive(&sha256(b"clerk").0, b"key-1"));
    assert_eq!(wait, Wait::Stored);
    assert_eq!(asked.authority_division.to_string(), "610502");
    assert_eq!(asked.subject, "610502199001010003");
    assert_eq!(asked.channel, Channel::Window);
    assert!(asked.hand_over);
}

#[tokio::test]
async fn who_waits_for_replication_is_told_whether_it_came() {
    let world = World::new();
    let prefer = [("prefer", "wait=replicated")];
    let reply = world
        .post("clerk", "/api/v1/cases", &application(), &prefer)
        .await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("preference-applied"), "wait=replicated");
    let receipt = &reply.json()["receipt"];
    assert_eq!(receipt["safety"], "replicated");
    assert_eq!(receipt["signed"]["path"].as_array().unwrap().len(), 1);
    *world.node.has_quorum.lock().unwrap() = false;
    let reply = world
        .post("clerk", "/api/v1/cases", &application(), &prefer)
        .await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("preference-applied"), "");
    assert_eq!(reply.json()["receipt"]["safety"], "stored");
}

#[tokio::test]
async fn a_repeated_request_says_so_and_a_reused_key_is_refused() {
    let world = World::new();
    let first = world
        .post("clerk", "/api/v1/cases", &application(), &[])
        .await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = world
        .post("clerk", "/api/v1/cases", &application(), &[])
        .await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json()["repeated"], true);
    world.node.refuse(Refusal::IdReused);
    let reused = world
        .post("clerk", "/api/v1/cases", &application(), &[])
        .await;
    reused.problem(422, "TB3008");
}

#[tokio::test]
async fn the_same_form_is_handed_on_as_the_same_bytes_however_it_is_written() {
    let world = World::new();
    let mut forms = Vec::new();
    for text in [application().to_string(), format!("{:#}", application())] {
        let body = text.replace('王', "\\u738b");
        let request = crate::world::request(axum::http::Method::POST, "clerk", "/api/v1/cases")
            .header("content-type", "application/json; charset=utf-8")
            .header("idempotency-key", "k")
            .body(body.into())
            .unwrap();
        assert_eq!(world.send(request).await.status, 202);
        forms.push(collected(world.asked_one()).1.form);
    }
    assert_eq!(forms[0], forms[1]);
}

#[tokio::test]
async fn channel_and_hand_over_are_passed_on() {
    let world = World::new();
    let mut body = application();
    body["channel"] = json!("terminal");
    body["hand_over"] = json!(false);
    let reply = world.post("clerk", "/api/v1/cases", &body, &[]).await;
    assert_eq!(reply.status, 202);
    let (_, asked, _) = collected(world.asked_one());
    assert_eq!((asked.channel, asked.hand_over), (Channel::Terminal, false));
}

#[tokio::test]
async fn a_bad_form_is_refused_place_by_place_without_repeating_it() {
    let world = World::new();
    let mut body = application();
    body["form"]["applicant"]["id_number"] = json!("610502199001019999");
    body["form"]["move_in"] = json!({"division": "610502"});
    let reply = world.post("clerk", "/api/v1/cases", &body, &[]).await;
    let problem = reply.problem(422, "TB7015");
    assert_eq!(problem["errors"][0]["pointer"], "/form/move_in/street");
    assert_eq!(problem["errors"][0]["keyword"], "required");
    assert_eq!(problem["errors"][0]["message_en"], "is missing");
    assert!(!problem.to_string().contains("610502199001019999"));
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_at_its_place() {
    let world = World::new();
    let without = |name: &str| {
        let mut body = application();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let with = |pointer: &str, value: Value| {
        let mut body = application();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    let cases = [
        (json!([]), ""),
        (without("item"), "/item"),
        (without("form"), "/form"),
        (with("/item/version", json!("1")), "/item/version"),
        (with("/item/version", json!(-1)), "/item/version"),
        (with("/item/name", json!("x")), "/item/name"),
        (with("/channel", json!("post")), "/channel"),
        (with("/hand_over", json!("yes")), "/hand_over"),
        (with("/a~b", json!(1)), "/a~0b"),
    ];
    for (body, pointer) in cases {
        let reply = world.post("clerk", "/api/v1/cases", &body, &[]).await;
        assert_eq!(
            reply.problem(400, "TB7009")["errors"][0]["pointer"],
            pointer
        );
    }
    let reply = world
        .post(
            "clerk",
            "/api/v1/cases",
            &with("/item/code", json!("x")),
            &[],
        )
        .await;
    let problem = reply.problem(400, "TB1001");
    assert_eq!(
        problem["detail"],
        "事项基本编码不合规则: 12 位数字或大写字母"
    );
    assert_eq!(
        problem["detail_en"],
        "The item code is not well formed: 12 digits or capital letters."
    );
    let reply = world
        .post(
            "clerk",
            "/api/v1/cases",
            &with("/item/version", json!(9)),
            &[],
        )
        .await;
    reply.problem(422, "TB3023");
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn every_refusal_of_the_node_has_its_status() {
    let number = number();
    for (refusal, status, code) in [
        (NodeError::NoQuorum, 503, "TB4003"),
        (NodeError::TimedOut, 503, "TB4002"),
        (NodeError::NotCaughtUp, 503, "TB4019"),
        (NodeError::Busy, 503, "TB4005"),
        (NodeError::NoKey(number), 503, "TB4004"),
        (NodeError::NumbersUsedUp, 503, "TB4007"),
        (NodeError::Failed("disk /secret".to_owned()), 500, "TB4006"),
        (NodeError::NoSuchCase(number), 404, "TB3011"),
        (
            NodeError::AuthorityOutside {
                division: "上海市（310101）".to_owned(),
            },
            422,
            "TB4001",
        ),
        (
            NodeError::TooLarge {
                what: Oversized::Form,
                bytes_max: 9,
            },
            413,
            "TB1003",
        ),
        (NodeError::TooManyAttachments { most: 9 }, 413, "TB1003"),
        (Refusal::NoTime.into(), 503, "TB3006"),
        (Refusal::CaseExists.into(), 409, "TB3010"),
        (Refusal::OtherCity.into(), 403, "TB3003"),
        (Refusal::KeyWithoutRight.into(), 500, "TB3001"),
    ] {
        let world = World::new();
        world.node.refuse(refusal);
        let reply = world
            .post("clerk", "/api/v1/cases", &application(), &[])
            .await;
        let problem = reply.problem(status, code);
        assert!(!problem.to_string().contains("/secret"));
        let is_passing = status == 503 && code != "TB4007";
        assert_eq!(
            !reply.header("retry-after").is_empty(),
            is_passing,
            "{code}"
        );
    }
}

#[tokio::test]
async fn too_many_attachments_are_refused_by_their_number() {
    let world = World::new();
    world.node.refuse(NodeError::TooManyAttachments { most: 9 });
    let reply = world
        .post("clerk", "/api/v1/cases", &application(), &[])
        .await;
    let problem = reply.problem(413, "TB1003");
    assert_eq!(problem["detail"], "最多 9 个附件");
    let english = "Too many attachments: at most 9 are taken.";
    assert_eq!(problem["detail_en"], english);
}

#[tokio::test]
async fn an_authority_outside_is_named() {
    let world = World::new();
    let division = "上海市（310101）".to_owned();
    world.node.refuse(NodeError::AuthorityOutside { division });
    let reply = world
        .post("clerk", "/api/v1/cases", &application(), &[])
        .await;
    let problem = reply.problem(422, "TB4001");
    for detail in ["detail", "detail_en"] {
        let detail = problem[detail].as_str().unwrap();
        assert!(detail.contains("上海市"), "{detail}");
    }
}
