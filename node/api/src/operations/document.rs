//! `GET /api/v1/cases/{number}/document`: the signed document in compact form, as it is verified.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use tongban_runtime::DocumentStage;
use tongban_types::{CaseNumber, Code};

use crate::authorization::Operation;
use crate::openapi::{CasePath, CaseProblems, tag};
use crate::problem::{Answer, Problem};
use crate::request::Call;
use crate::state::Shared;

/// 结果文书 · The signed document in compact form (SD-JWT), as it is verified.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/document", operation_id = "readDocument", tag = tag::CASES,
    params(CasePath),
    responses((status = 200, description = "文书 · The document", body = String, content_type = "application/dc+sd-jwt"), CaseProblems),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadDocument)?;
    let number: CaseNumber = call.path("number").await?;
    call.query(&[])?;
    let opened = api.node.case(number)?;
    let Some(document) = opened.document else {
        let stage = opened.record.map(|record| record.document);
        return Err(match stage {
            Some(DocumentStage::Owed | DocumentStage::Prepared { .. }) => {
                Problem::new(StatusCode::NOT_FOUND, Code::DOCUMENT_PENDING).retry_later()
            }
            Some(DocumentStage::Issued { .. }) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::NO_CASE_KEY).retry_later()
            }
            Some(DocumentStage::None) | None => {
                Problem::new(StatusCode::NOT_FOUND, Code::NO_DOCUMENT)
            }
        });
    };
    let kind = HeaderValue::from_static("application/dc+sd-jwt");
    let no_store = HeaderValue::from_static("no-store");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, no_store),
    ];
    Ok((headers, document).into_response())
}
