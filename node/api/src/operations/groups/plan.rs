//! `POST /api/v1/groups/{group}/plan`: what an order of placement would do, before anybody signs it.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::PlacementPlan;
use tongban_types::PlacementOrder;
use utoipa::ToSchema;

use super::order::{OrderBody, order_of};
use super::view::{MembersView, names};
use crate::authorization::Operation;
use crate::openapi::{DivisionKind, GroupPath, NodeIdKind, PlacementProblems, tag};
use crate::problem::Answer;
use crate::rendering::json;
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = PlacementPlan)]
pub(crate) struct PlanView {
    schema: &'static str,
    #[schema(value_type = DivisionKind)]
    group: String,
    version: u64,
    /// The members after each step, one entry of the log each.
    steps: Vec<MembersView>,
    #[schema(value_type = Vec<NodeIdKind>)]
    comes_in: Vec<String>,
    #[schema(value_type = Vec<NodeIdKind>)]
    goes: Vec<String>,
    /// Machines that may be lost now; `null` if the group cannot decide.
    tolerates_now: Option<usize>,
    /// The least of it on the way.
    tolerates_meanwhile: Option<usize>,
    tolerates_then: Option<usize>,
    /// Voters that come in and are out of reach: the change would wait for them.
    #[schema(value_type = Vec<NodeIdKind>)]
    waits_for: Vec<String>,
}

/// 试算部署令 · What an order would do and what tolerance it costs; changes nothing.
#[utoipa::path(
    post, path = "/api/v1/groups/{group}/plan", operation_id = "planPlacement", tag = tag::NODE,
    params(GroupPath),
    request_body = OrderBody,
    responses((status = 200, description = "试算 · The plan", body = PlanView), PlacementProblems),
    security(("token" = [])),
)]
pub(crate) async fn plan(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::PlanPlacement)?;
    let file = order_of(call).await?;
    let plan = api.node.groups().plan(file.order()).await?;
    Ok(json(StatusCode::OK, &PlanView::of(file.order(), &plan)))
}

impl PlanView {
    fn of(order: &PlacementOrder, plan: &PlacementPlan) -> Self {
        Self {
            schema: "tongban.placement-plan/v1",
            group: order.group.to_string(),
            version: order.version,
            steps: plan.steps.iter().map(MembersView::of).collect(),
            comes_in: names(&plan.comes_in),
            goes: names(&plan.goes),
            tolerates_now: plan.tolerates_now,
            tolerates_meanwhile: plan.tolerates_meanwhile,
            tolerates_then: plan.tolerates_then,
            waits_for: names(&plan.waits_for),
        }
    }
}
