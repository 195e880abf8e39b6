//! The router: all operations, and what is noted of every request. Noted are method, route
//! pattern, status, duration, case number and code; never an address as it was sent, a header or a
//! body.

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

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let state: Shared = Arc::new(state);
    operations::routes()
        .layer(from_fn_with_state(Arc::clone(&state), observe))
        .with_state(state)
}

async fn observe(State(api): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = method_name(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let case = case_in(request.uri().path());
    let response = next.run(request).await;
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().copied();
    let took = began.elapsed();
    api.requests.count(method, route, status, code, took);
    tracing::debug!(
        method,
        route,
        status,
        took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        case = case.map(tracing::field::display),
        code = code.map(tracing::field::display),
        "request answered"
    );
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
