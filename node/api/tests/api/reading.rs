//! Reading cases, catalogue, federation and the node.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Method;
use serde_json::Value;
use tongban_api::RequestTrace;
use tongban_runtime::{DocumentStage, NodeError};
use tongban_types::{CaseState, Hash};

use crate::case::{number, record, replicated_receipt, stored_case};
use crate::node::Asked;
use crate::world::{World, request};

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

#[tokio::test]
async fn items_are_listed_and_given_byte_for_byte() {
    let world = World::new();
    let list = world.get("clerk", "/api/v1/items").await.json();
    let item = &list["items"][0];
    assert_eq!(item["name"]["zh"], "户口迁移（夫妻投靠）");
    let reply = world.get("clerk", "/api/v1/items/000109900001/1").await;
    let sha256 = tongban_types::sha256(&reply.body).to_string();
    assert_eq!(item["file_sha256"], sha256);
    assert_eq!(reply.header("etag"), format!("\"{sha256}\""));
    assert_eq!(reply.json()["form"]["x-authority"], "/move_in/division");
    for missing in ["000109900001/2", "000109900009/1", "000109900001/x"] {
        let address = format!("/api/v1/items/{missing}");
        world.get("clerk", &address).await.problem(404, "TB3023");
    }
    world
        .get("clerk", "/api/v1/items/x/1")
        .await
        .problem(400, "TB1001");
}

#[tokio::test]
async fn the_federation_is_shown_with_who_is_connected() {
    let world = World::new();
    let body = world.get("operator", "/api/v1/federation").await.json();
    assert_eq!(body["registry_version"], 1);
    let cities = body["cities"].as_array().unwrap();
    assert_eq!(cities.len(), 6);
    let connected: Vec<bool> = cities
        .iter()
        .map(|city| city["nodes"][0]["connected"].as_bool().unwrap())
        .collect();
    assert_eq!(connected.iter().filter(|connected| **connected).count(), 2);
    let file = world.get("operator", "/api/v1/registry").await;
    assert_eq!(file.json()["signatures"].as_array().unwrap().len(), 5);
    world.node.forget_registry();
    world
        .get("operator", "/api/v1/federation")
        .await
        .problem(503, "TB3005");
    world
        .get("operator", "/api/v1/registry")
        .await
        .problem(503, "TB3005");
}

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
    world.node.forget_registry();
    let problem = world.get("", "/readyz").await.problem(503, "TB7018");
    assert_eq!(problem["errors"][0]["pointer"], "registry");
    world.get("", "/startupz").await.problem(503, "TB7018");
    assert_eq!(world.get("", "/livez").await.status, 200);
    world.node.report.lock().unwrap().failed = true;
    world.get("", "/livez").await.problem(503, "TB7018");
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
async fn a_problems_type_leads_to_its_explanation() {
    let world = World::new();
    let body = world.get("", "/problems/TB7001").await.json();
    assert_eq!(body["name"], "no-token");
    for unknown in ["TB9999", "x", "%E2%82"] {
        let reply = world.get("", &format!("/problems/{unknown}")).await;
        let expected = if unknown.starts_with('%') {
            (400, "TB7011")
        } else {
            (404, "TB7004")
        };
        reply.problem(expected.0, expected.1);
    }
}

#[tokio::test]
async fn requests_and_refusals_are_counted_by_pattern_and_code() {
    let world = World::new();
    world.get("clerk", &case()).await;
    world.get("", &case()).await;
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

#[tokio::test]
async fn the_description_and_its_page_come_from_this_program_alone() {
    let world = World::new();
    let reply = world.get("", "/api/v1/openapi.json").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["openapi"], "3.1.0");
    let page = world.get("", "/docs").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html")
    );
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(
        !text.contains("//"),
        "nothing is loaded from elsewhere: {text}"
    );
    assert!(
        page.header("content-security-policy")
            .contains("style-src 'self' 'unsafe-inline'")
    );
    let parts: Vec<&str> = text.split("/docs/").skip(1).collect();
    assert!(parts.len() >= 6, "{text}");
    for part in parts {
        let name = part.split('"').next().unwrap();
        let reply = world.get("", &format!("/docs/{name}")).await;
        assert_eq!(reply.status, 200, "{name}");
    }
    let settings = world.get("", "/docs/swagger-initializer.js").await;
    let settings = String::from_utf8(settings.body).unwrap();
    assert!(settings.contains("/api/v1/openapi.json"), "{settings}");
    world
        .get("", "/docs/no-such.js")
        .await
        .problem(404, "TB7004");
    let data = world.get("", "/livez").await;
    let policy = data.header("content-security-policy");
    assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(data.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn what_an_address_allows_is_told_and_heads_are_given() {
    let world = World::new();
    let asked = |method, address: &str| {
        request(method, "clerk", address)
            .body(Body::empty())
            .unwrap()
    };
    let reply = world.send(asked(Method::OPTIONS, "/api/v1/cases")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (204, "GET,HEAD,POST")
    );
    let reply = world.send(asked(Method::HEAD, "/api/v1/cases")).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    let sent = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = request(Method::GET, "", "/livez")
        .header("traceparent", format!("00-{sent}-00f067aa0ba902b7-01"));
    let reply = world.send(traced.body(Body::empty()).unwrap()).await;
    let parent = reply.header("traceparent");
    assert_eq!(parent.len(), 55, "{parent}");
    assert!(parent.starts_with(&format!("00-{sent}-")) && !parent.contains("00f067aa0ba902b7"));
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
async fn agreements_name_the_cities_an_item_is_handled_across_with() {
    let world = World::new();
    let body = world.get("clerk", "/api/v1/agreements").await.json();
    let items = world.get("clerk", "/api/v1/items").await.json();
    let agreements = body["agreements"].as_array().unwrap();
    assert_eq!(agreements.len(), items["items"].as_array().unwrap().len());
    assert!(
        agreements
            .iter()
            .all(|one| one["cities"][0]["name"].is_string()),
        "{body}"
    );
    world.node.forget_registry();
    assert_eq!(world.get("clerk", "/api/v1/agreements").await.status, 503);
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
