//! Requests that cannot be read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::Method;
use bytes::Bytes;
use hyper::body::Frame;

use crate::case::number;
use crate::world::{World, application, request};

fn post(body: impl Into<Body>, kind: Option<&str>) -> axum::http::Request<Body> {
    let mut request =
        request(Method::POST, "clerk", "/api/v1/cases").header("idempotency-key", "k");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let world = World::new();
    let json = Some("application/json");
    world.send(post("{", json)).await.problem(400, "TB2004");
    world.send(post("", json)).await.problem(400, "TB2004");
    world
        .send(post("{\"a\":1,\"a\":1}", json))
        .await
        .problem(400, "TB2004");
    world
        .send(post(&b"\xff"[..], json))
        .await
        .problem(400, "TB2004");
    world
        .send(post("[".repeat(60_000), json))
        .await
        .problem(400, "TB2004");
    let text = application().to_string();
    world
        .send(post(text.clone(), Some("text/plain")))
        .await
        .problem(415, "TB7006");
    world.send(post(text, None)).await.problem(415, "TB7006");
    assert!(world.node.take_asked().is_empty());
}

#[tokio::test]
async fn a_body_too_large_is_refused_announced_or_not() {
    let world = World::new();
    let large = " ".repeat(64 * 1024 + 1);
    let json = Some("application/json");
    world
        .send(post(large.clone(), json))
        .await
        .problem(413, "TB1003");
    let mut announced = post("{}", json);
    let length = "65537".parse().unwrap();
    announced.headers_mut().insert("content-length", length);
    world.send(announced).await.problem(413, "TB1003");
    let mut body = application();
    body["form"]["remark"] = "x".repeat(17_000).into();
    let reply = world.post("clerk", "/api/v1/cases", &body, &[]).await;
    assert_eq!(
        reply.problem(413, "TB1003")["errors"][0]["pointer"],
        "/form"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let world = World::new();
    let reply = world
        .send(post(Body::new(Broken(false)), Some("application/json")))
        .await;
    reply.problem(400, "TB7007");
}

/// A body whose line is cut after its first piece.
struct Broken(bool);

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let is_cut = std::mem::replace(&mut self.0, true);
        Poll::Ready(Some(if is_cut {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(Frame::data(Bytes::from_static(b"{")))
        }))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::new();
    let silent = Body::new(Silent);
    let reply = world.send(post(silent, Some("application/json"))).await;
    reply.problem(408, "TB7008");
}

/// A body that never comes.
struct Silent;

impl HttpBody for Silent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems_too() {
    let world = World::new();
    for address in [
        "/",
        "/api",
        "/api/v1/cases/",
        "/api/v2/cases",
        "/api/v1/cases/x/y/z",
    ] {
        world.get("clerk", address).await.problem(404, "TB7004");
    }
    let sent = request(Method::DELETE, "clerk", "/api/v1/cases").body(Body::empty());
    let reply = world.send(sent.unwrap()).await;
    reply.problem(405, "TB7005");
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
    let address = format!("/api/v1/cases/{}/accept", number());
    let reply = world.get("officer", &address).await;
    reply.problem(405, "TB7005");
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn a_case_number_is_checked_before_it_is_looked_up() {
    let world = World::new();
    let mistyped = number().to_string().replacen('1', "2", 1);
    for number in ["x", "%20", &mistyped] {
        let address = format!("/api/v1/cases/{number}");
        world.get("clerk", &address).await.problem(400, "TB1001");
    }
    world
        .get("clerk", "/api/v1/cases/%FF")
        .await
        .problem(400, "TB7011");
    let other = "35010020261124010000027";
    let found = (0..36).find_map(|digit| {
        let check = char::from_digit(digit, 36)?.to_ascii_uppercase();
        let text = format!("{}{check}", &other[..22]);
        text.parse::<tongban_types::CaseNumber>().ok()
    });
    let address = format!("/api/v1/cases/{}", found.unwrap());
    world.get("clerk", &address).await.problem(404, "TB3011");
}
