//! `POST /api/v1/cases/{number}/deliver`: 送达, the result is in the applicant's hands.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::{ActedView, BareBody, Order};
use crate::authorization::Operation;
use crate::openapi::{ActProblems, CasePath, IdempotencyKey, IfMatch, tag};
use crate::problem::Answer;
use crate::state::Shared;

/// 送达 · The result is in the applicant's hands.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/deliver", operation_id = "deliverCase", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body = Option<BareBody>,
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn deliver(State(api): State<Shared>, request: Request) -> Answer {
    let order = Order::read_bare(&api, request, Operation::Deliver).await?;
    order.carry_out(&api, Act::Deliver).await
}
