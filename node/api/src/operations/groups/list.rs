//! `GET /api/v1/groups`: every group this node keeps a replica of.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::GroupView;
use crate::authorization::Operation;
use crate::openapi::{NodeIdKind, tag};
use crate::problem::Answer;
use crate::rendering::json;
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Groups)]
struct GroupsView {
    schema: &'static str,
    #[schema(value_type = NodeIdKind)]
    this_node: String,
    /// Its own city's first.
    groups: Vec<GroupView>,
}

/// 审批组 · Every group this node keeps a replica of, its own city's first.
#[utoipa::path(
    get, path = "/api/v1/groups", operation_id = "listGroups", tag = tag::NODE,
    responses((status = 200, description = "审批组 · The groups", body = GroupsView)),
    security(("token" = [])),
)]
pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadGroups)?;
    call.query(&[])?;
    let report = api.node.report();
    // One that is left meanwhile is not listed.
    let groups = report
        .groups
        .iter()
        .filter_map(|group| GroupView::of(&api, group).ok());
    let view = GroupsView {
        schema: "tongban.groups/v1",
        this_node: report.node.to_string(),
        groups: groups.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}
