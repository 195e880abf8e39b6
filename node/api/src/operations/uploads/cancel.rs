//! `DELETE /api/v1/uploads/{id}`: forgets an upload. A file that a case names already stays.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use tongban_runtime::UploadId;

use super::protocol::{check_version, tus};
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::{ApiState, Shared};

pub(super) async fn cancel(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::Collect);
    tus(match call {
        Ok(call) => cancelled(&api, call).await,
        Err(problem) => Err(problem),
    })
}

pub(super) async fn cancelled(api: &ApiState, mut call: Call) -> Answer {
    let id: UploadId = call.path("id").await?;
    check_version(&call)?;
    let files = api.node.attachments();
    files.cancel(call.session.token_hash, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
