//! `HEAD /api/v1/uploads/{id}`: where an upload stands. What it says is durable: everything that came is
//! made so first.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use tongban_runtime::UploadId;

use super::protocol::{check_version, committed, standing, tus};
use crate::authorization::Operation;
use crate::openapi::{TusResumable, UploadPath, tag};
use crate::problem::{Answer, ProblemBody};
use crate::request::Call;
use crate::state::Shared;

/// 上传到何处 · Where an upload stands; what it says is durable.
#[utoipa::path(
    head, path = "/api/v1/uploads/{id}", operation_id = "readUploadOffset", tag = tag::FILES,
    params(UploadPath, TusResumable),
    responses(
        (status = 200, description = "所在 · Where it stands", headers(
            ("Upload-Offset" = String, description = "已有的字节数 · Bytes that are here"),
            ("Upload-Length" = String, description = "总字节数 · Bytes in all"),
            ("Upload-Expires" = String, description = "此后作废 · Forgotten after that"),
        )),
        (status = 404, description = "没有这个上传 · There is no such upload", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "tus 版本不符 · Another version of tus is spoken", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(in crate::operations) async fn stands(State(api): State<Shared>, request: Request) -> Answer {
    tus(told(&api, request).await)
}

async fn told(api: &Shared, request: Request) -> Answer {
    let mut call = Call::open(api, request, Operation::Collect)?;
    let id: UploadId = call.path("id").await?;
    call.query(&[])?;
    check_version(&call)?;
    let upload = committed(api, call.session.token_hash, id).await?;
    Ok(standing(StatusCode::OK, &upload))
}
