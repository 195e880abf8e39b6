//! What the API says of itself: its description, the pages behind problems, and what an address allows.

use axum::body::Body;
use axum::http::Method;

use crate::world::{World, request};

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
    world.get("", "/docs/%E2%82").await.problem(400, "TB7011");
    assert!(text.contains("<title>通办 · Tongban</title>"), "{text}");
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
