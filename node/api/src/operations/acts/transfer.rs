//! `POST /api/v1/cases/{number}/transfer`: 转送, of a case collected without handing it over.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::{ActedView, BareBody, Order};
use crate::authorization::Operation;
use crate::openapi::{ActProblems, CasePath, IdempotencyKey, IfMatch, tag};
use crate::problem::Answer;
use crate::state::Shared;

/// 转送 · Hands over a case that was collected without that.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/transfer", operation_id = "transferCase", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body = Option<BareBody>,
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn transfer(State(api): State<Shared>, request: Request) -> Answer {
    let order = Order::read_bare(&api, request, Operation::Transfer).await?;
    order.carry_out(&api, Act::Transfer).await
}
