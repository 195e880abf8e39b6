//! `GET /api/v1/groups/{group}`: one group this node keeps a replica of.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use tongban_runtime::NodeError;
use tongban_types::GroupId;

use super::view::GroupView;
use crate::authorization::Operation;
use crate::openapi::{GroupPath, GroupProblems, tag};
use crate::problem::Answer;
use crate::rendering::json;
use crate::request::Call;
use crate::state::Shared;

/// 一个审批组 · How one group stands: its order in force, its members and how far they are.
#[utoipa::path(
    get, path = "/api/v1/groups/{group}", operation_id = "readGroup", tag = tag::NODE,
    params(GroupPath),
    responses((status = 200, description = "审批组 · The group", body = GroupView), GroupProblems),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadGroups)?;
    call.query(&[])?;
    let group = GroupId(call.path("group").await?);
    let report = api.node.report();
    let mut hosted = report.groups.iter();
    let hosted = hosted.find(|hosted| hosted.group == group);
    let hosted = hosted.ok_or(NodeError::NotHosted(group))?;
    Ok(json(StatusCode::OK, &GroupView::of(&api, hosted)?))
}
