//! Who may ask for what, over HTTP.

use axum::http::Method;
use serde_json::{Value, json};
use tongban_api::{Operation, Rates};
use tongban_types::Role;

use crate::case::number;
use crate::world::{EXPIRED, OTHER_CITY, World, application, request};

/// Every address that needs a token, and the operation behind it.
fn addresses() -> Vec<(Method, String, Operation)> {
    let case = format!("/api/v1/cases/{}", number());
    let act = |name: &str| format!("{case}/{name}");
    let group = |what: &str| format!("/api/v1/groups/350100/{what}");
    let get = |address: &str, operation| (Method::GET, address.to_owned(), operation);
    let post = |address: String, operation| (Method::POST, address, operation);
    vec![
        post("/api/v1/cases".to_owned(), Operation::Collect),
        post(act("transfer"), Operation::Transfer),
        post(act("ask-correction"), Operation::AskCorrection),
        post(act("correct"), Operation::Correct),
        post(act("accept"), Operation::Accept),
        post(act("refuse-to-accept"), Operation::RefuseToAccept),
        post(act("review"), Operation::Review),
        post(act("decide"), Operation::Decide),
        post(act("deliver"), Operation::Deliver),
        post(act("withdraw"), Operation::Withdraw),
        get("/api/v1/cases", Operation::ReadCases),
        get(&case, Operation::ReadCases),
        get(&act("document"), Operation::ReadDocument),
        get(&act("receipt"), Operation::ReadReceipt),
        get("/api/v1/documents", Operation::ReadCases),
        get("/api/v1/items", Operation::ReadItems),
        get("/api/v1/items/000109900001/1", Operation::ReadItems),
        get("/api/v1/federation", Operation::ReadFederation),
        get("/api/v1/registry", Operation::ReadFederation),
        get("/api/v1/status", Operation::ReadStatus),
        get("/metrics", Operation::ReadMetrics),
        get("/api/v1/peers", Operation::ReadPeers),
        get("/api/v1/peers/610500-01/ping", Operation::PingPeer),
        get("/api/v1/backup", Operation::MakeBackup),
        get("/api/v1/agreements", Operation::ReadItems),
        get("/api/v1/events", Operation::ReadCases),
        get(&act("events"), Operation::ReadCases),
        get(
            &act(&format!("attachments/{}", "0".repeat(64))),
            Operation::ReadForm,
        ),
        post("/api/v1/uploads".to_owned(), Operation::Collect),
        get(UPLOAD, Operation::Collect),
        post(UPLOAD.to_owned(), Operation::Collect),
        (Method::HEAD, UPLOAD.to_owned(), Operation::Collect),
        (Method::PATCH, UPLOAD.to_owned(), Operation::Collect),
        (Method::DELETE, UPLOAD.to_owned(), Operation::Collect),
        get("/api/v1/groups", Operation::ReadGroups),
        get("/api/v1/groups/350100", Operation::ReadGroups),
        post(group("plan"), Operation::PlanPlacement),
        post(group("placement"), Operation::PlaceGroup),
        post(group("lead"), Operation::HandOverLead),
        get("/api/v1/node/drain", Operation::ReadStatus),
        post("/api/v1/node/drain".to_owned(), Operation::DrainNode),
        post("/api/v1/node/resume".to_owned(), Operation::DrainNode),
    ]
}

const UPLOAD: &str = "/api/v1/uploads/00000000000000000000000000000000";

/// Whether an address is one of a path with parts in braces.
fn is_of(address: &str, path: &str) -> bool {
    let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (address, path) = (parts(address), parts(path));
    let fits = |(part, pattern): (&String, &String)| pattern.starts_with('{') || part == pattern;
    address.len() == path.len() && address.iter().zip(&path).all(fits)
}

#[test]
fn no_address_that_needs_a_token_is_left_out() {
    let description: Value = serde_json::from_slice(&tongban_api::openapi_json()).unwrap();
    let tried = addresses();
    let mut guarded = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs_token = operation["security"]
                .as_array()
                .is_some_and(|security| !security.is_empty());
            if !needs_token {
                continue;
            }
            guarded += 1;
            let is_tried = tried.iter().any(|(tried, address, _)| {
                tried.as_str().eq_ignore_ascii_case(method) && is_of(address, path)
            });
            assert!(is_tried, "{method} {path}");
        }
    }
    assert_eq!(guarded, tried.len(), "and none is tried that is open");
}

#[tokio::test]
async fn the_table_of_roles_holds_at_every_address() {
    let world = World::new();
    for (method, address, operation) in addresses() {
        for role in Role::PEOPLE {
            let request = request(method.clone(), role.name(), &address)
                .body("".into())
                .unwrap();
            let place = format!("{method} {address} as {role}");
            if operation.is_open_to(role) {
                // A stream of events would be read for ever.
                let status = world.open(request).await.status();
                assert!(status != 401 && status != 403, "{place}");
            } else {
                let reply = world.send(request).await;
                assert_eq!(reply.status, 403, "{place}");
                reply.problem_of(&method, 403, "TB7003");
                assert!(
                    reply
                        .header("www-authenticate")
                        .contains("insufficient_scope")
                );
            }
        }
    }
}

#[tokio::test]
async fn without_a_good_token_nothing_is_reached() {
    let world = World::new();
    for (method, address, _) in addresses() {
        let reply = world
            .send(
                request(method.clone(), "", &address)
                    .body("".into())
                    .unwrap(),
            )
            .await;
        reply.problem_of(&method, 401, "TB7001");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"tongban\"");
        for token in ["nobody", EXPIRED, "system"] {
            let request = request(method.clone(), token, &address);
            let reply = world.send(request.body("".into()).unwrap()).await;
            reply.problem_of(&method, 401, "TB7002");
            assert!(reply.header("www-authenticate").contains("invalid_token"));
        }
        let request = request(method.clone(), OTHER_CITY, &address);
        let reply = world.send(request.body("".into()).unwrap()).await;
        reply.problem_of(&method, 403, "TB3003");
    }
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn other_schemes_and_doubled_headers_open_nothing() {
    let world = World::new();
    let basic = request(Method::GET, "", "/api/v1/status")
        .header("authorization", "Basic Y2xlcms6")
        .body("".into())
        .unwrap();
    world.send(basic).await.problem(401, "TB7002");
    let doubled = request(Method::GET, "clerk", "/api/v1/status")
        .header("authorization", "Bearer officer")
        .body("".into())
        .unwrap();
    world.send(doubled).await.problem(400, "TB7019");
    let unreadable = request(Method::GET, "", "/api/v1/status")
        .header("authorization", &b"Bearer \xff"[..])
        .body("".into())
        .unwrap();
    world.send(unreadable).await.problem(400, "TB7019");
}

#[tokio::test]
async fn the_right_is_judged_before_the_body() {
    let world = World::new();
    let broken = request(Method::POST, "auditor", "/api/v1/cases")
        .header("content-type", "text/plain")
        .body("{".into())
        .unwrap();
    world.send(broken).await.problem(403, "TB7003");
    let reply = world
        .post("officer", "/api/v1/cases", &application(), &[])
        .await;
    reply.problem(403, "TB7003");
}

#[tokio::test]
async fn who_may_not_is_told_which_roles_may() {
    let world = World::new();
    let address = format!("/api/v1/cases/{}", number());
    let reply = world.get("operator", &address).await;
    let problem = reply.problem(403, "TB7003");
    for detail in ["detail", "detail_en"] {
        let told = problem[detail].as_str().unwrap();
        assert!(
            told.contains("clerk, officer, supervisor, auditor"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn an_auditor_sees_the_case_and_not_the_form() {
    let world = World::new();
    let address = format!("/api/v1/cases/{}", number());
    for (role, sees) in [
        ("clerk", true),
        ("officer", true),
        ("supervisor", true),
        ("auditor", false),
    ] {
        let body = world.get(role, &address).await.json();
        assert_eq!(body["case"]["version"], json!(3));
        assert_eq!(body.get("form").is_some(), sees, "{role}");
        assert_eq!(body.to_string().contains("610502199001010003"), sees);
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again_and_probes_are_answered_beside_it() {
    let rates = Rates {
        reads_per_second: 10,
        orders_per_second: 10,
        open_per_second: 10,
    };
    let world = World::with(rates);
    let mut refused = None;
    for _ in 0..40 {
        let reply = world.get("", "/api/v1/openapi.json").await;
        if reply.status != 200 {
            refused = Some(reply);
        }
    }
    let refused = refused.expect("forty at once are more than twenty");
    refused.problem(429, "TB7020");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(world.get("", "/livez").await.status, 200);
    assert_eq!(world.get("auditor", "/api/v1/items").await.status, 200);
}
