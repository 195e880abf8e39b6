//! `HEAD /api/v1/uploads/{id}`: where an upload stands. What it says is durable: everything that came is
//! made so first.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use tongban_runtime::UploadId;

use super::protocol::{check_version, standing, tus};
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::{ApiState, Shared};

pub(super) async fn stands(State(api): State<Shared>, request: Request) -> Answer {
    tus(told(&api, request).await)
}

async fn told(api: &ApiState, request: Request) -> Answer {
    let mut call = Call::open(api, request, Operation::Collect)?;
    let id: UploadId = call.path("id").await?;
    check_version(&call)?;
    let upload = api.node.attachments().commit(call.session.token_hash, id);
    Ok(standing(StatusCode::OK, &upload.await?))
}
