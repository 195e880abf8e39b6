//! `POST /api/v1/cases/{number}/ask-correction`: 一次性告知, of everything that must be corrected.

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
struct AskCorrectionBody {
    /// The version the act is based on, unless `If-Match` says it.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 4_294_967_295_u32)]
    expected_version: Option<u32>,
    /// Everything that must be corrected, at once.
    #[schema(
        min_length = 1,
        max_length = 2048,
        pattern = r"[^\s\x00-\x1f\x7f-\x9f]"
    )]
    notice: String,
}

/// 一次性告知 · Tells at once of everything that must be corrected.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/ask-correction", operation_id = "askCorrection", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body(content = AskCorrectionBody, example = json!({"notice": "请补交结婚证"})),
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn ask_correction(
    State(api): State<Shared>,
    request: Request,
) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::AskCorrection).await?;
    let notice = fields.words("notice")?;
    fields.end()?;
    order.carry_out(&api, Act::AskCorrection { notice }).await
}
