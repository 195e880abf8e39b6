//! `GET /api/v1/node/drain`: whether the node is drained, and what speaks against stopping it.

use axum::extract::{Request, State};

use super::view::{DrainView, answer};
use crate::authorization::Operation;
use crate::openapi::tag;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::Shared;

/// 停用情况 · Whether the node is drained, and what speaks against stopping it.
#[utoipa::path(
    get, path = "/api/v1/node/drain", operation_id = "readDrain", tag = tag::NODE,
    responses((status = 200, description = "停用 · Whether it is drained", body = DrainView)),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadStatus)?;
    call.query(&[])?;
    Ok(answer(&api))
}
