//! `GET /api/v1/cases`: the cases of this city's group, a page at a time, without forms.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use tongban_runtime::StoredCase;
use tongban_types::{CaseNumber, CaseState};

use crate::authorization::Operation;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::problem::{Answer, Problem};
use crate::rendering::{CaseView, StoredView, json};
use crate::request::{Call, Query, bad};
use crate::state::{ApiState, Shared};

/// What `state` says for cases that only this desk has: no state of the group.
const STORED: &str = "stored";

#[derive(Serialize)]
struct PageView<'a> {
    cases: Vec<CaseView<'a>>,
    /// What this desk took in and the group does not have yet: with the first page of all cases, and
    /// by itself for `state=stored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Vec<StoredView<'a>>>,
    /// Goes into `cursor` for the next page.
    next: Option<String>,
}

pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadCases)?;
    let query = call.query(&["state", "cursor", "limit", "fresh"])?;
    let cursor = query.get("cursor").map(position).transpose()?;
    let limit = limit(&query)?;
    if query.get("state") == Some(STORED) {
        return Ok(stored_page(&api, cursor, limit));
    }
    let state = query
        .get("state")
        .map(str::parse::<CaseState>)
        .transpose()
        .map_err(|()| bad("state", "没有这个状态"))?;
    if query.is_on("fresh")? {
        api.node.catch_up().await?;
    }
    let page = api.node.cases(state, cursor, limit)?;
    // They are this desk's own and not the group's, so they are shown beside its cases.
    let is_first_of_all = state.is_none() && cursor.is_none();
    let stored = is_first_of_all.then(|| api.node.stored_cases(None, limit));
    let view = PageView {
        cases: page.cases.iter().map(CaseView::from).collect(),
        stored: stored.as_deref().map(stored_views),
        next: page.next.map(cursor_of),
    };
    let state = state.map_or_else(String::new, |state| format!("state={state}&"));
    Ok(linked(&view, &state, limit))
}

fn stored_page(api: &ApiState, after: Option<CaseNumber>, limit: usize) -> Response {
    let stored = api.node.stored_cases(after, limit);
    let last = stored.last().filter(|_| stored.len() == limit);
    let view = PageView {
        cases: Vec::new(),
        stored: Some(stored_views(&stored)),
        next: last.map(|last| cursor_of(last.number)),
    };
    linked(&view, "state=stored&", limit)
}

fn stored_views(stored: &[StoredCase]) -> Vec<StoredView<'_>> {
    stored.iter().map(StoredView::from).collect()
}

fn cursor_of(number: CaseNumber) -> String {
    BASE64URL_NOPAD.encode(number.to_string().as_bytes())
}

fn linked(view: &PageView<'_>, state: &str, limit: usize) -> Response {
    let mut response = json(StatusCode::OK, view);
    let link = view
        .next
        .as_ref()
        .map(|next| format!("</api/v1/cases?{state}limit={limit}&cursor={next}>; rel=\"next\""));
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn limit(query: &Query) -> Result<usize, Problem> {
    match query.get("limit").map(str::parse) {
        None => Ok(PAGE_DEFAULT),
        Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(bad("limit", "应为 1 到 100 的整数")),
    }
}

/// Clients hand a cursor back as they got it; that it is a case number is nobody's business.
fn position(cursor: &str) -> Result<CaseNumber, Problem> {
    BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok())
        .ok_or_else(|| bad("cursor", "不是本接口给出的游标"))
}
