//! `DELETE /api/v1/uploads/{id}`: forgets an upload. A file that a case names already stays.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use tongban_runtime::UploadId;

use super::protocol::{check_version, tus};
use crate::authorization::Operation;
use crate::openapi::{TusResumable, UploadPath, tag};
use crate::problem::{Answer, ProblemBody};
use crate::request::{Call, carried_out};
use crate::state::Shared;

/// 取消上传 · Forgets an upload; a file that a case names stays.
#[utoipa::path(
    delete, path = "/api/v1/uploads/{id}", operation_id = "cancelUpload", tag = tag::FILES,
    params(UploadPath, TusResumable),
    responses(
        (status = 204, description = "已取消 · It is forgotten"),
        (status = 404, description = "没有这个上传 · There is no such upload", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "tus 版本不符 · Another version of tus is spoken", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(in crate::operations) async fn cancel(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::Collect);
    tus(match call {
        Ok(call) => cancelled(&api, call).await,
        Err(problem) => Err(problem),
    })
}

pub(super) async fn cancelled(api: &Shared, mut call: Call) -> Answer {
    let id: UploadId = call.path("id").await?;
    call.query(&[])?;
    check_version(&call)?;
    let (node, owner) = (Arc::clone(&api.node), call.session.token_hash);
    carried_out(async move { node.attachments().cancel(owner, id).await }).await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}
