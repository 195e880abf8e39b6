//! `GET /api/v1/backup`: a backup of the node as it stands, sealed to the recovery key the node is configured
//! with. It is nowhere kept here: the answer is the backup, made while it is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Frame;

use crate::authorization::Operation;
use crate::openapi::{BackupProblems, tag};
use crate::problem::{Answer, Problem};
use crate::request::Call;
use crate::state::{BackupPieces, Shared};

/// 备份 · A backup of this node, sealed to its recovery key. It is whole only with the signed part at its end.
#[utoipa::path(
    get, path = "/api/v1/backup", operation_id = "makeBackup", tag = tag::NODE,
    responses(
        (status = 200, description = "备份 · The backup", body = Vec<u8>, content_type = "application/octet-stream"),
        BackupProblems,
    ),
    security(("token" = [])),
)]
pub(crate) async fn make(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::MakeBackup)?;
    call.query(&[])?;
    let pieces = (api.backup)().map_err(|code| Problem::new(StatusCode::CONFLICT, code))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let body = Body::new(PieceBody(pieces).boxed_unsync());
    Ok((headers, body).into_response())
}

/// A body of pieces as they come; an error breaks it off, so that nobody takes it for whole.
struct PieceBody(BackupPieces);

impl HttpBody for PieceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
