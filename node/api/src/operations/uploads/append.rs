//! `PATCH /api/v1/uploads/{id}`: bytes from `Upload-Offset` on, in pieces of bounded size whatever the
//! body's. What came is made durable before its offset is answered, also when the line broke on the way.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tongban_runtime::{NodeHandle, UploadId};
use tongban_types::{Code, Hash};

use super::cancel::cancelled;
use super::protocol::{UPLOAD_OFFSET, check_version, committed, count, standing, tus};
use crate::authorization::Operation;
use crate::limits::{UPLOAD_PIECE_BYTES, UPLOAD_SILENCE_MAX};
use crate::openapi::{
    AppendProblems, MeantMethod, MeantOffset, TusResumable, UploadOffset, UploadPath, tag,
};
use crate::problem::{Answer, Problem};
use crate::request::{Call, carried_out};
use crate::said::Said;
use crate::state::Shared;

const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// 续传 · Bytes from an offset on.
#[utoipa::path(
    patch, path = "/api/v1/uploads/{id}", operation_id = "appendUpload", tag = tag::FILES,
    request_body(description = "从 Upload-Offset 起的字节 · Bytes from `Upload-Offset` on", content_type = "application/offset+octet-stream"),
    params(UploadPath, TusResumable, UploadOffset),
    responses(
        (status = 204, description = "已收 · They are here", headers(
            ("Upload-Offset" = String, description = "已有的字节数 · Bytes that are here"),
            ("Upload-Length" = String, description = "总字节数 · Bytes in all"),
            ("Upload-Expires" = String, description = "此后作废 · Forgotten after that"),
        )),
        AppendProblems,
    ),
    security(("token" = [])),
)]
pub(in crate::operations) async fn append(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::Collect);
    tus(match call {
        Ok(call) => appended(&api, call).await,
        Err(problem) => Err(problem),
    })
}

/// 代用 POST · `POST` where a client's surroundings let no other method through.
#[utoipa::path(
    post, path = "/api/v1/uploads/{id}", operation_id = "overrideUpload", tag = tag::FILES,
    request_body(description = "从 Upload-Offset 起的字节 · Bytes from `Upload-Offset` on", content_type = "application/offset+octet-stream"),
    params(UploadPath, TusResumable, MeantMethod, MeantOffset),
    responses(
        (status = 204, description = "已办 · As the method that is meant", headers(
            ("Upload-Offset" = String, description = "PATCH: 已有的字节数 · Of PATCH: bytes that are here"),
            ("Upload-Length" = String, description = "PATCH: 总字节数 · Of PATCH: bytes in all"),
            ("Upload-Expires" = String, description = "PATCH: 此后作废 · Of PATCH: forgotten after that"),
        )),
        AppendProblems,
    ),
    security(("token" = [])),
)]
pub(in crate::operations) async fn overridden(
    State(api): State<Shared>,
    request: Request,
) -> Answer {
    tus(as_meant(&api, request).await)
}

async fn as_meant(api: &Shared, request: Request) -> Answer {
    let call = Call::open(api, request, Operation::Collect)?;
    match call.header(&OVERRIDE)? {
        Some("PATCH") => appended(api, call).await,
        Some("DELETE") => cancelled(api, call).await,
        _ => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let allowed = HeaderValue::from_static("HEAD, GET, PATCH, DELETE, OPTIONS");
            Err(Problem::new(status, Code::METHOD_NOT_ALLOWED).header(header::ALLOW, allowed))
        }
    }
}

async fn appended(api: &Shared, mut call: Call) -> Answer {
    let id: UploadId = call.path("id").await?;
    call.query(&[])?;
    check_version(&call)?;
    if call.header(&header::CONTENT_TYPE)? != Some(OFFSET_STREAM) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let problem = Problem::new(status, Code::WRONG_MEDIA_TYPE).detail(Said::new(
            format!("请求体应为 {OFFSET_STREAM}"),
            format!("The body must be {OFFSET_STREAM}."),
        ));
        // RFC 5789, section 3.1.
        return Err(problem.header(ACCEPT_PATCH, HeaderValue::from_static(OFFSET_STREAM)));
    }
    let mut appending = Appending {
        node: Arc::clone(&api.node),
        owner: call.session.token_hash,
        id,
        at: count(&call, &UPLOAD_OFFSET)?,
    };
    let owner = appending.owner;
    // Before anything is gathered in memory.
    let place = call.places().uploads.take(owner, Code::NODE_BUSY)?;
    let taken = appending.take(call.into_body()).await;
    // Also what came before the line broke.
    let upload = committed(api, owner, id).await?;
    drop(place);
    taken?;
    Ok(standing(StatusCode::NO_CONTENT, &upload))
}

/// One request's bytes on their way into an upload.
struct Appending {
    node: Arc<dyn NodeHandle>,
    owner: Hash,
    id: UploadId,
    at: u64,
}

impl Appending {
    async fn take(&mut self, mut body: Body) -> Result<(), Problem> {
        // Refused before anything is read, if it does not begin where the upload stands.
        self.hand_on(Bytes::new()).await?;
        let mut gathered = BytesMut::with_capacity(UPLOAD_PIECE_BYTES);
        let ended = loop {
            let frame = tokio::time::timeout(UPLOAD_SILENCE_MAX, body.frame()).await;
            let mut bytes = match frame {
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Ok(None) => break Ok(()),
                Ok(Some(Err(_))) => {
                    break Err(Problem::new(StatusCode::BAD_REQUEST, Code::BODY_BROKEN_OFF));
                }
                Err(_) => {
                    break Err(Problem::new(
                        StatusCode::REQUEST_TIMEOUT,
                        Code::BODY_TOO_SLOW,
                    ));
                }
            };
            while !bytes.is_empty() {
                let room = UPLOAD_PIECE_BYTES - gathered.len();
                gathered.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
                if gathered.len() == UPLOAD_PIECE_BYTES {
                    self.hand_on(gathered.split().freeze()).await?;
                    gathered.reserve(UPLOAD_PIECE_BYTES);
                }
            }
        };
        self.hand_on(gathered.freeze()).await?;
        ended
    }

    async fn hand_on(&mut self, bytes: Bytes) -> Result<(), Problem> {
        let (node, owner, id, at) = (Arc::clone(&self.node), self.owner, self.id, self.at);
        let order = async move { node.attachments().append(owner, id, at, bytes).await };
        self.at = carried_out(order).await??;
        Ok(())
    }
}
