//! `POST /api/v1/node/resume`: takes the node back into service.

use axum::extract::{Request, State};

use super::view::{DrainView, answer};
use crate::authorization::Operation;
use crate::openapi::tag;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::Shared;

/// 恢复 · Takes the node back into service.
#[utoipa::path(
    post, path = "/api/v1/node/resume", operation_id = "resumeNode", tag = tag::NODE,
    responses((status = 200, description = "停用 · Whether it is drained", body = DrainView)),
    security(("token" = [])),
)]
pub(crate) async fn end(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::DrainNode)?;
    call.query(&[])?;
    api.node.set_draining(false);
    Ok(answer(&api))
}
