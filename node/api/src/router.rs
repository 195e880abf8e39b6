//! The router: all operations, and what is noted of every request. Noted are its trace id, method,
//! route pattern, status, duration, case number and code; never an address as it was sent, a body,
//! or a header but for the digits of a trace.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tongban_types::{CaseNumber, Code};

use crate::operations;
use crate::state::{ApiState, Shared};
use crate::trace::{REQUEST_ID, TraceIds};

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let state: Shared = Arc::new(state);
    let observer = (Arc::clone(&state), Arc::new(TraceIds::default()));
    operations::routes()
        .layer(from_fn_with_state(observer, observe))
        .with_state(state)
}

async fn observe(
    State((api, ids)): State<(Shared, Arc<TraceIds>)>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let trace = ids.id_of(request.headers());
    let method = method_name(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let case = case_in(request.uri().path());
    let mut response = trace.over(next.run(request)).await;
    response.headers_mut().insert(REQUEST_ID, trace.header());
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().copied();
    let took = began.elapsed();
    api.requests.count(method, route, status, code, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let case = case.map(tracing::field::display);
    // A probe that finds the node not ready says so again every few seconds.
    let is_our_fault = status >= 500 && code != Some(Code::NOT_READY);
    let code = code.map(tracing::field::display);
    if is_our_fault {
        tracing::warn!(%trace, method, route, status, took_us, case, code, "request not carried out");
    } else {
        tracing::debug!(%trace, method, route, status, took_us, case, code, "request answered");
    }
    response
}

/// The case number in a path, if there is one that is well formed.
fn case_in(path: &str) -> Option<CaseNumber> {
    let rest = path.strip_prefix("/api/v1/cases/")?;
    rest.split('/').next()?.parse().ok()
}

/// A method's name from a fixed list: a label must not grow with what clients think up.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
