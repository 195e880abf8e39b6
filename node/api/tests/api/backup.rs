//! A backup as its caller meets it: piece by piece, whole or broken off, or refused.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc::channel;
use tongban_api::{BackupPieces, BeginBackup, router};
use tongban_types::Code;
use tower::ServiceExt as _;

use crate::world::{World, request};

/// A backup of two pieces.
pub(crate) fn two_pieces() -> BackupPieces {
    of(vec![Ok("one "), Ok("two")])
}

fn of(pieces: Vec<io::Result<&'static str>>) -> BackupPieces {
    let (give, take) = channel(pieces.len());
    for piece in pieces {
        give.try_send(piece.map(Bytes::from)).unwrap();
    }
    take
}

fn world_with(begin: impl Fn() -> Result<BackupPieces, Code> + Send + Sync + 'static) -> World {
    let mut world = World::new();
    let begin: Arc<BeginBackup> = Arc::new(begin);
    world.state.backup = begin;
    world.router = router(world.state.clone());
    world
}

#[tokio::test]
async fn a_backup_is_the_pieces_in_their_order_and_kept_by_nobody_on_the_way() {
    let reply = World::new().get("operator", "/api/v1/backup").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, b"one two");
    assert_eq!(reply.header("content-type"), "application/octet-stream");
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_backup_that_fails_half_way_is_broken_off_and_not_ended() {
    let fails = || {
        Ok(of(vec![
            Ok("one"),
            Err(io::Error::other("the disk failed")),
        ]))
    };
    let asked = request(Method::GET, "operator", "/api/v1/backup").body(Body::empty());
    let response = world_with(fails).router.oneshot(asked.unwrap()).await;
    assert!(response.unwrap().into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_node_without_a_recovery_key_makes_no_backup_for_anybody() {
    let world = world_with(|| Err(Code::NO_RECOVERY_KEY));
    world
        .get("operator", "/api/v1/backup")
        .await
        .problem(409, "TB4024");
    world
        .get("auditor", "/api/v1/backup")
        .await
        .problem(403, "TB7003");
}
