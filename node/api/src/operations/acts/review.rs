//! `POST /api/v1/cases/{number}/review`: 审, a reviewer's opinion.

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
struct ReviewBody {
    /// The version the act is based on, unless `If-Match` says it.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 4_294_967_295_u32)]
    expected_version: Option<u32>,
    /// What is recommended.
    #[schema(value_type = DecisionKind)]
    recommend: String,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 2048,
        pattern = r"[^\s\x00-\x1f\x7f-\x9f]"
    )]
    opinion: String,
}

/// 审查 · A reviewer's opinion.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/review", operation_id = "reviewCase", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body(content = ReviewBody, example = json!({"recommend": "grant", "opinion": "材料齐全"})),
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn review(State(api): State<Shared>, request: Request) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::Review).await?;
    let recommend = decision(&mut fields, "recommend")?;
    let opinion = fields.words("opinion")?;
    fields.end()?;
    let act = Act::Review { recommend, opinion };
    order.carry_out(&api, act).await
}
