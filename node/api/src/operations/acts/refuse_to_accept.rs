//! `POST /api/v1/cases/{number}/refuse-to-accept`: 不予受理, with reasons.

use axum::extract::{Request, State};
use tongban_runtime::Act;
use utoipa::ToSchema;

use super::order::{ActedView, Order};
use crate::authorization::Operation;
use crate::openapi::{ActProblems, CasePath, IdempotencyKey, IfMatch, tag};
use crate::problem::Answer;
use crate::state::Shared;

/// What is sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
struct RefuseToAcceptBody {
    /// The version the act is based on, unless `If-Match` says it.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 4_294_967_295_u32)]
    expected_version: Option<u32>,
    /// Why, with the rule it follows from.
    #[schema(
        min_length = 1,
        max_length = 2048,
        pattern = r"[^\s\x00-\x1f\x7f-\x9f]"
    )]
    reason: String,
}

/// 不予受理 · Refuses to accept, with reasons.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/refuse-to-accept", operation_id = "refuseToAccept", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body(content = RefuseToAcceptBody, example = json!({"reason": "不属于本机关职权"})),
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn refuse_to_accept(
    State(api): State<Shared>,
    request: Request,
) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::RefuseToAccept).await?;
    let reason = fields.words("reason")?;
    fields.end()?;
    order.carry_out(&api, Act::RefuseToAccept { reason }).await
}
