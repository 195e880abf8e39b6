//! `GET /api/v1/cases/{number}`: a case with its history and due dates, and its form for those
//! whose work it is.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use tongban_types::CaseNumber;
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::openapi::{CaseNumberKind, CasePath, CaseProblems, Fresh, tag};
use crate::problem::Answer;
use crate::rendering::{AttachmentView, CaseView, MovementView, StoredView, json};
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = OpenedCase)]
pub(crate) struct OpenedCaseView<'a> {
    #[schema(value_type = CaseNumberKind)]
    number: String,
    /// Stored at this desk only: the group has not committed it yet.
    stored_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<StoredView<'a>>,
    case: Option<CaseView<'a>>,
    history: Vec<MovementView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    form: Option<Value>,
    /// Files handed in; for those who may read the form.
    attachments: Vec<AttachmentView<'a>>,
    has_document: bool,
    has_receipt: bool,
}

/// 一件办件 · A case with its history and due dates, and its form for those whose work it is.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}", operation_id = "readCase", tag = tag::CASES,
    params(CasePath, Fresh),
    responses((status = 200, description = "办件 · The case", body = OpenedCaseView, headers(("ETag" = String, description = "版本, 下一步办理的依据 · What the next act is based on"))), CaseProblems),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadCases)?;
    let number: CaseNumber = call.path("number").await?;
    if call.query(&["fresh"])?.is_on("fresh")? {
        api.node.catch_up().await?;
    }
    let opened = api.node.case(number)?;
    let may_see_form = Operation::ReadForm.is_open_to(call.session.actor.role);
    let view = OpenedCaseView {
        number: number.to_string(),
        stored_only: opened.record.is_none(),
        stored: opened.stored.as_ref().map(StoredView::from),
        case: opened.record.as_ref().map(CaseView::from),
        history: opened.history.iter().map(MovementView::from).collect(),
        form: opened
            .form
            .filter(|_| may_see_form)
            .and_then(|form| serde_json::from_slice(&form).ok()),
        attachments: opened
            .attachments
            .iter()
            .filter(|_| may_see_form)
            .map(AttachmentView::from)
            .collect(),
        has_document: opened.document.is_some(),
        has_receipt: opened.receipt.is_some(),
    };
    let version = opened.record.as_ref().map_or(0, |record| record.version.0);
    let mut response = json(StatusCode::OK, &view);
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}
