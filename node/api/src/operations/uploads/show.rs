//! `GET /api/v1/uploads/{id}`: how an upload stands, in JSON; once it is whole, the hash a case names it by.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::UploadId;
use utoipa::ToSchema;

use super::protocol::{committed, tus};
use crate::authorization::Operation;
use crate::openapi::{Moment, UploadPath, tag};
use crate::problem::{Answer, ProblemBody};
use crate::rendering::{china_time, json};
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
struct UploadView {
    id: String,
    length: u64,
    offset: u64,
    #[schema(value_type = Moment)]
    expires_at: String,
    /// BLAKE3, once it is whole.
    hash: Option<String>,
}

/// 一个上传 · How an upload stands, and its hash once it is whole.
#[utoipa::path(
    get, path = "/api/v1/uploads/{id}", operation_id = "readUpload", tag = tag::FILES,
    params(UploadPath),
    responses(
        (status = 200, description = "上传 · The upload", body = UploadView),
        (status = 404, description = "没有这个上传 · There is no such upload", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(in crate::operations) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    tus(told(&api, request).await)
}

async fn told(api: &Shared, request: Request) -> Answer {
    let mut call = Call::open(api, request, Operation::Collect)?;
    let id: UploadId = call.path("id").await?;
    call.query(&[])?;
    let upload = committed(api, call.session.token_hash, id).await?;
    let view = UploadView {
        id: upload.id.to_string(),
        length: upload.length,
        offset: upload.offset,
        expires_at: china_time(upload.expires),
        hash: upload.blob.map(|blob| blob.to_string()),
    };
    Ok(json(StatusCode::OK, &view))
}
