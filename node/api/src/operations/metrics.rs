//! `GET /metrics`: everything the process counts, for Prometheus.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use crate::authorization::Operation;
use crate::metrics::classic_text;
use crate::openapi::tag;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::Shared;

/// 指标 · Everything the process counts, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "readMetrics", tag = tag::NODE,
    responses((status = 200, description = "Prometheus text, 0.0.4", body = String, content_type = "text/plain")),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadMetrics)?;
    call.query(&[])?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    let text = classic_text(&(api.metrics)());
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
