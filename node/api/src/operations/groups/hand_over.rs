//! `POST /api/v1/groups/{group}/lead`: hands the lead of a group from this node to another voter.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::{Code, GroupId, NodeId};
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::openapi::{DivisionKind, GroupPath, HandOverProblems, NodeIdKind, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::json;
use crate::request::Call;
use crate::said::Said;
use crate::state::Shared;

/// What is sent.
#[derive(ToSchema)]
#[schema(as = HandOver)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
struct HandOverBody {
    /// The voter that is to lead.
    #[schema(value_type = NodeIdKind)]
    to: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HandedOver)]
struct HandedOverView {
    schema: &'static str,
    #[schema(value_type = DivisionKind)]
    group: String,
    #[schema(value_type = NodeIdKind)]
    to: String,
}

/// 移交主持 · Hands the lead of a group that this node leads to another voter, which stands at once.
#[utoipa::path(
    post, path = "/api/v1/groups/{group}/lead", operation_id = "handOverLead", tag = tag::NODE,
    params(GroupPath),
    request_body(content = HandOverBody, example = json!({"to": "610500-02"})),
    responses((status = 202, description = "已移交 · Handed over", body = HandedOverView), HandOverProblems),
    security(("token" = [])),
)]
pub(crate) async fn hand_over(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::HandOverLead)?;
    call.query(&[])?;
    let group = GroupId(call.path("group").await?);
    let (_, mut fields) = call.body().await?;
    let at = fields.at("to");
    let to = fields.text("to")?.parse::<NodeId>();
    let to = to.map_err(|_| {
        let says = Said::new("应为节点, 如 350100-01", "must be a node, as 350100-01");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::BODY_SHAPE).at(&at, "shape", says)
    })?;
    fields.end()?;
    api.node.groups().hand_over(group, to).await?;
    let view = HandedOverView {
        schema: "tongban.lead-handed-over/v1",
        group: group.to_string(),
        to: to.to_string(),
    };
    Ok(json(StatusCode::ACCEPTED, &view))
}
