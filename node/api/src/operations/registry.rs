//! `GET /api/v1/registry`: the registry file in force, byte for byte as it was signed, so that a
//! verifier can be handed it.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use super::federation::no_registry;
use crate::authorization::Operation;
use crate::openapi::{NoRegistryProblem, tag};
use crate::problem::Answer;
use crate::request::Call;
use crate::state::Shared;

/// 名册 · The registry file in force, byte for byte as it was signed, for a verifier.
#[utoipa::path(
    get, path = "/api/v1/registry", operation_id = "readRegistry", tag = tag::FEDERATION,
    responses((status = 200, description = "名册 · The file", body = Object), NoRegistryProblem),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadFederation)?;
    call.query(&[])?;
    let file = api.node.registry_file().ok_or_else(no_registry)?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], file).into_response())
}
