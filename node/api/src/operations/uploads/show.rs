//! `GET /api/v1/uploads/{id}`: how an upload stands, in JSON; once it is whole, the hash a case names it by.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::UploadId;

use super::protocol::tus;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::rendering::{china_time, json};
use crate::request::Call;
use crate::state::{ApiState, Shared};

#[derive(Serialize)]
struct UploadView {
    id: String,
    length: u64,
    offset: u64,
    expires_at: String,
    /// BLAKE3, once it is whole.
    hash: Option<String>,
}

pub(super) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    tus(told(&api, request).await)
}

async fn told(api: &ApiState, request: Request) -> Answer {
    let mut call = Call::open(api, request, Operation::Collect)?;
    let id: UploadId = call.path("id").await?;
    call.query(&[])?;
    let upload = api.node.attachments().commit(call.session.token_hash, id);
    let upload = upload.await?;
    let view = UploadView {
        id: upload.id.to_string(),
        length: upload.length,
        offset: upload.offset,
        expires_at: china_time(upload.expires),
        hash: upload.blob.map(|blob| blob.to_string()),
    };
    Ok(json(StatusCode::OK, &view))
}
