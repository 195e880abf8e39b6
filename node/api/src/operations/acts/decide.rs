//! `POST /api/v1/cases/{number}/decide`: 核, the decision, by another person than the reviewer.

use axum::extract::{Request, State};
use tongban_runtime::Act;
use utoipa::ToSchema;

use super::order::{ActedView, Order, decision};
use crate::authorization::Operation;
use crate::openapi::{ActProblems, CasePath, DecisionKind, IdempotencyKey, IfMatch, tag};
use crate::problem::Answer;
use crate::state::Shared;

/// What is sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
struct DecideBody {
    /// The version the act is based on, unless `If-Match` says it.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 4_294_967_295_u32)]
    expected_version: Option<u32>,
    /// What is decided.
    #[schema(value_type = DecisionKind)]
    decision: String,
    /// Why; needed to refuse.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2048, pattern = r"[^\s\x00-\x1f\x7f-\x9f]")]
    reason: Option<String>,
}

/// 核准 · Decides, by another person than the reviewer.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/decide", operation_id = "decideCase", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body(content = DecideBody, example = json!({"decision": "grant"})),
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn decide(State(api): State<Shared>, request: Request) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::Decide).await?;
    let decision = decision(&mut fields, "decision")?;
    let reason = fields.optional_words("reason")?;
    fields.end()?;
    let act = Act::Decide { decision, reason };
    order.carry_out(&api, act).await
}
