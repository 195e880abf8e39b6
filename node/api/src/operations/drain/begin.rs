//! `POST /api/v1/node/drain`: takes the node out of service for maintenance.

use axum::extract::{Request, State};

use super::view::{DrainView, answer};
use crate::authorization::Operation;
use crate::openapi::tag;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::Shared;

/// 停用 · Takes the node out of service: it takes no new case, and hands its leads away.
#[utoipa::path(
    post, path = "/api/v1/node/drain", operation_id = "drainNode", tag = tag::NODE,
    responses((status = 200, description = "停用 · Whether it is drained", body = DrainView)),
    security(("token" = [])),
)]
pub(crate) async fn begin(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::DrainNode)?;
    call.query(&[])?;
    api.node.set_draining(true);
    Ok(answer(&api))
}
