//! The manners of tus where a client's are bad. The recording node has no upload, so that a request that
//! passes them finds none. What becomes of bytes is tested with real processes.

use axum::http::Method;
use axum::http::request::Builder;

use crate::world::{Reply, World, request};

const UPLOADS: &str = "/api/v1/uploads";
const UPLOAD: &str = "/api/v1/uploads/00000000000000000000000000000000";

fn tus(method: &Method, address: &str) -> Builder {
    request(method.clone(), "clerk", address).header("tus-resumable", "1.0.0")
}

fn piece(method: &Method, address: &str) -> Builder {
    tus(method, address)
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", "0")
}

/// Sends it and looks that the answer says which tus is spoken.
async fn send(world: &World, builder: Builder) -> Reply {
    let reply = world.send(builder.body("".into()).unwrap()).await;
    assert_eq!(reply.header("tus-resumable"), "1.0.0", "{reply:?}");
    reply
}

#[tokio::test]
async fn an_upload_takes_no_parameter() {
    let world = World::new();
    let address = format!("{UPLOAD}?x=1");
    for method in [Method::HEAD, Method::GET, Method::PATCH, Method::DELETE] {
        let reply = send(&world, piece(&method, &address)).await;
        reply.problem_of(&method, 400, "TB7010");
        let reply = send(&world, piece(&method, UPLOAD)).await;
        reply.problem_of(&method, 404, "TB5401");
    }
    for meant in ["PATCH", "DELETE"] {
        let asked = piece(&Method::POST, &address).header("x-http-method-override", meant);
        send(&world, asked).await.problem(400, "TB7010");
    }
    let asked = tus(&Method::POST, "/api/v1/uploads?x=1").header("upload-length", "4");
    send(&world, asked).await.problem(400, "TB7010");
}

#[tokio::test]
async fn a_post_is_what_its_override_says_and_nothing_else() {
    let world = World::new();
    for meant in ["PATCH", "DELETE"] {
        let asked = piece(&Method::POST, UPLOAD).header("x-http-method-override", meant);
        send(&world, asked).await.problem(404, "TB5401");
    }
    let unnamed = piece(&Method::POST, UPLOAD);
    let other = piece(&Method::POST, UPLOAD).header("x-http-method-override", "PUT");
    for asked in [unnamed, other] {
        let reply = send(&world, asked).await;
        reply.problem(405, "TB7005");
        assert_eq!(reply.header("allow"), "HEAD, GET, PATCH, DELETE, OPTIONS");
    }
}

#[tokio::test]
async fn another_version_of_tus_is_told_which_one_is_spoken() {
    let world = World::new();
    for version in ["", "0.2.2", "1.0"] {
        let mut asked = request(Method::DELETE, "clerk", UPLOAD);
        if !version.is_empty() {
            asked = asked.header("tus-resumable", version);
        }
        let reply = send(&world, asked).await;
        reply.problem(412, "TB7019");
        assert_eq!(reply.header("tus-version"), "1.0.0");
    }
}

#[tokio::test]
async fn a_piece_of_another_type_is_told_which_one_is_taken() {
    let world = World::new();
    let asked = tus(&Method::PATCH, UPLOAD).header("content-type", "application/json");
    let reply = send(&world, asked).await;
    let problem = reply.problem(415, "TB7006");
    let taken = reply.header("accept-patch");
    assert_eq!(taken, "application/offset+octet-stream");
    for detail in ["detail", "detail_en"] {
        let told = problem[detail].as_str().unwrap();
        assert!(told.contains(taken), "{told}");
    }
}

#[tokio::test]
async fn a_count_of_bytes_is_digits_alone() {
    let world = World::new();
    let typed = || {
        let asked = tus(&Method::PATCH, UPLOAD);
        asked.header("content-type", "application/offset+octet-stream")
    };
    let uncounted = tus(&Method::POST, UPLOADS);
    send(&world, uncounted).await.problem(400, "TB7019");
    send(&world, typed()).await.problem(400, "TB7019");
    for count in ["", "-1", "+1", "4k", "0x4", "99999999999999999999"] {
        let asked = tus(&Method::POST, UPLOADS).header("upload-length", count);
        send(&world, asked).await.problem(400, "TB7019");
        let asked = typed().header("upload-offset", count);
        send(&world, asked).await.problem(400, "TB7019");
    }
    let asked = tus(&Method::POST, UPLOADS).header("upload-length", "4");
    send(&world, asked).await.problem(507, "TB5405");
}

#[tokio::test]
async fn what_is_spoken_of_tus_is_told_to_anybody() {
    let world = World::new();
    for address in [UPLOADS, UPLOAD] {
        let reply = send(&world, request(Method::OPTIONS, "", address)).await;
        assert_eq!(reply.status, 204, "{address}");
        assert_eq!(reply.header("tus-version"), "1.0.0");
        let extensions = reply.header("tus-extension");
        assert_eq!(extensions, "creation,expiration,termination");
        let most = reply.header("tus-max-size").parse::<u64>();
        assert_eq!(most, Ok(tongban_types::limits::BLOB_BYTES_MAX));
        let asked = request(Method::OPTIONS, "", &format!("{address}?x=1"));
        send(&world, asked).await.problem(400, "TB7010");
    }
    let malformed = request(Method::OPTIONS, "", "/api/v1/uploads/F0");
    send(&world, malformed).await.problem(400, "TB1001");
}
