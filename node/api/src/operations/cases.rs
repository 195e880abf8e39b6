//! `GET /api/v1/cases`: the cases of this city's group, a page at a time, without forms.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use tongban_types::{CaseNumber, CaseState};

use crate::authorization::Operation;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::problem::{Answer, Problem};
use crate::rendering::{CaseView, json};
use crate::request::{Call, Query, bad};
use crate::state::Shared;

#[derive(Serialize)]
struct PageView<'a> {
    cases: Vec<CaseView<'a>>,
    /// Goes into `cursor` for the next page.
    next: Option<String>,
}

pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadCases)?;
    let query = call.query(&["state", "cursor", "limit", "fresh"])?;
    let state = query
        .get("state")
        .map(str::parse::<CaseState>)
        .transpose()
        .map_err(|()| bad("state", "没有这个状态"))?;
    let cursor = query.get("cursor").map(position).transpose()?;
    let limit = limit(&query)?;
    if query.is_on("fresh")? {
        api.node.catch_up().await?;
    }
    let page = api.node.cases(state, cursor, limit)?;
    let next = page
        .next
        .map(|number| BASE64URL_NOPAD.encode(number.to_string().as_bytes()));
    let link = next.as_ref().map(|next| {
        let state = state.map_or_else(String::new, |state| format!("state={state}&"));
        format!("</api/v1/cases?{state}limit={limit}&cursor={next}>; rel=\"next\"")
    });
    let view = PageView {
        cases: page.cases.iter().map(CaseView::from).collect(),
        next,
    };
    let mut response = json(StatusCode::OK, &view);
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
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
