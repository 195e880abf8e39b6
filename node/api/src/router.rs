//! The router: all operations, and what is noted of every request. Noted are its trace id, method,
//! route pattern, status, duration, case number and code; never an address as it was sent, a body,
//! or a header but for the digits of a trace.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use tongban_types::{CaseNumber, Code};
use tracing::Instrument as _;

use crate::operations;
use crate::places::AllPlaces;
use crate::rates::{Caller, Schedules};
use crate::request::session_of;
use crate::serving::PeerAddress;
use crate::state::{ApiState, Shared};
use crate::trace::{REQUEST_ID, TRACE_PARENT, TraceIds};

/// What watches the node from outside asks here. It has a schedule of its own: others of its address,
/// which may be a proxy's, must not make the node seem dead.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/startupz"];

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let schedules = Arc::new(Schedules::new(state.rates.clone()));
    let state: Shared = Arc::new(state);
    let door = (Arc::clone(&state), schedules);
    let observer = (Arc::clone(&state), Arc::new(TraceIds::default()));
    let (router, _) = operations::routes().split_for_parts();
    router
        .fallback(operations::no_such_resource)
        .method_not_allowed_fallback(operations::method_not_allowed)
        .layer(Extension(AllPlaces::default()))
        .layer(from_fn_with_state(door, admit))
        .layer(from_fn_with_state(observer, observe))
        .with_state(state)
}

/// Finds out who asks, and whether not too often. What a token may do is judged by each operation.
async fn admit(
    State((api, schedules)): State<(Shared, Arc<Schedules>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let found = session_of(&api, request.headers());
    let caller = match &found {
        Ok(session) => Caller::Token(session.token_hash),
        Err(_) => match request.extensions().get::<PeerAddress>() {
            Some(PeerAddress(address)) => Caller::Address(*address),
            None => Caller::Others,
        },
    };
    let is_probe = PROBES.contains(&request.uri().path());
    if let Err(problem) = schedules.admit(caller, request.method(), is_probe) {
        return problem.into_response();
    }
    if let Ok(session) = found {
        request.extensions_mut().insert(session);
    }
    next.run(request).await
}

async fn observe(
    State((api, ids)): State<(Shared, Arc<TraceIds>)>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let trace = ids.of(request.headers());
    let method = method_name(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let case = case_in(request.uri().path());
    let case = case.map(tracing::field::display);
    let span = tracing::info_span!("request", trace = %trace.id, method, case);
    let is_sampled = (api.traces)(&span, &trace);
    let answering = trace.id.over(next.run(request)).instrument(span.clone());
    let mut response = answering.await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, trace.id.header());
    headers.insert(TRACE_PARENT, trace.parent(is_sampled));
    guard(headers);
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().copied();
    let took = began.elapsed();
    api.requests.count(method, route, status, code, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // A probe that finds the node not ready says so again every few seconds.
    let is_our_fault = status >= 500 && code != Some(Code::NOT_READY);
    let code = code.map(tracing::field::display);
    let _within = span.enter();
    if is_our_fault {
        tracing::warn!(route, status, took_us, code, "request not carried out");
    } else {
        tracing::debug!(route, status, took_us, code, "request answered");
    }
    response
}

/// What is answered is data: a browser runs nothing of it, guesses no kind, and tells nobody its address.
fn guard(headers: &mut HeaderMap) {
    let of_data = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(of_data);
    let (nosniff, silent) = ("nosniff", "no-referrer");
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static(nosniff),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(silent));
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
