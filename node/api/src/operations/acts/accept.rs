//! `POST /api/v1/cases/{number}/accept`: 受理, by the authority.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::{ActedView, BareBody, Order};
use crate::authorization::Operation;
use crate::openapi::{ActProblems, CasePath, IdempotencyKey, IfMatch, tag};
use crate::problem::Answer;
use crate::state::Shared;

/// 受理 · Accepts, by the authority.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/accept", operation_id = "acceptCase", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body = Option<BareBody>,
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn accept(State(api): State<Shared>, request: Request) -> Answer {
    let order = Order::read_bare(&api, request, Operation::Accept).await?;
    order.carry_out(&api, Act::Accept).await
}
