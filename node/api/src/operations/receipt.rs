//! `GET /api/v1/cases/{number}/receipt`: the receipt this node gave, as safe as it has become.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use tongban_types::{CaseNumber, Code};

use crate::authorization::Operation;
use crate::openapi::{CasePath, CaseProblems, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::{ReceiptView, json};
use crate::request::Call;
use crate::state::Shared;

/// 收件凭证 · The receipt this node gave, as safe as it has become.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/receipt", operation_id = "readReceipt", tag = tag::CASES,
    params(CasePath),
    responses((status = 200, description = "凭证 · The receipt", body = ReceiptView), CaseProblems),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadReceipt)?;
    let number: CaseNumber = call.path("number").await?;
    call.query(&[])?;
    match api.node.case(number)?.receipt {
        Some(receipt) => Ok(json(StatusCode::OK, &ReceiptView::from(&receipt))),
        None => Err(Problem::new(StatusCode::NOT_FOUND, Code::NO_RECEIPT)),
    }
}
