//! `POST /api/v1/groups/{group}/placement`: hands a signed order of placement in.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::Code;
use utoipa::ToSchema;

use super::order::{OrderBody, order_of};
use crate::authorization::Operation;
use crate::openapi::{DivisionKind, GroupPath, PlacementProblems, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::json;
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Placed)]
pub(crate) struct PlacedView {
    schema: &'static str,
    #[schema(value_type = DivisionKind)]
    group: String,
    version: u64,
}

/// 下达部署令 · Enters a signed order into the group's log; the group carries it out from then on. The same
/// order again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/groups/{group}/placement", operation_id = "placeGroup", tag = tag::NODE,
    params(GroupPath),
    request_body = OrderBody,
    responses(
        (status = 202, description = "已入组日志, 开始执行 · It is in the log and being carried out", body = PlacedView),
        PlacementProblems,
    ),
    security(("token" = [])),
)]
pub(crate) async fn place(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::PlaceGroup)?;
    let file = order_of(call).await?;
    let unsigned = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::PLACEMENT_UNSIGNED);
    let signed = file.signed().ok_or_else(unsigned)?;
    api.node.groups().order(signed).await.map_err(by_whom)?;
    let view = PlacedView {
        schema: "tongban.placement-ordered/v1",
        group: file.order().group.to_string(),
        version: file.order().version,
    };
    Ok(json(StatusCode::ACCEPTED, &view))
}

/// Elsewhere a false signature is the node's own fault; here it came with the request.
fn by_whom(error: tongban_runtime::NodeError) -> Problem {
    let code = error.code();
    if [
        Code::SIGNATURE_INVALID,
        Code::BAD_SIGNATURE,
        Code::KEY_WITHOUT_RIGHT,
    ]
    .contains(&code)
    {
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code);
    }
    Problem::from(error)
}
