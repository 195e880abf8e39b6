//! `GET /api/v1/status`: the node at a glance. What comes first is how many voters may still be
//! lost.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::{GroupReport, NodeReport};
use tongban_types::NodeId;
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::openapi::{Moment, NodeIdKind, tag};
use crate::problem::Answer;
use crate::rendering::{china_time, json};
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub(crate) struct StatusView {
    /// Machines of this city's group that may still be lost; 0 where it is not known to decide. A node that does not
    /// lead it goes by its own links.
    can_lose: usize,
    schema: &'static str,
    #[schema(value_type = NodeIdKind)]
    node: String,
    failed: bool,
    /// Drained for maintenance: it takes no new case.
    draining: bool,
    registry: u64,
    connected: Vec<String>,
    desk_waiting: usize,
    desk_refused: usize,
    case_keys: usize,
    groups: Vec<GroupView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = GroupStatus)]
struct GroupView {
    group: String,
    can_lose: usize,
    has_quorum: bool,
    #[schema(value_type = Option<NodeIdKind>)]
    leader: Option<String>,
    term: u64,
    last_index: u64,
    applied_index: u64,
    purged_index: u64,
    snapshot_index: u64,
    voters: Vec<String>,
    learners: Vec<String>,
    voters_in_touch: usize,
    stopped: bool,
    /// Stopped because no majority of the voters holds its state.
    diverged: bool,
    #[schema(value_type = Moment)]
    time: String,
    cases: u64,
    unanswered: usize,
    refused: u64,
    evidence: u64,
}

/// 节点概况 · The node at a glance; first how many more voters may be lost.
#[utoipa::path(
    get, path = "/api/v1/status", operation_id = "readStatus", tag = tag::NODE,
    responses((status = 200, description = "概况 · How it stands", body = StatusView)),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadStatus)?;
    call.query(&[])?;
    Ok(json(StatusCode::OK, &StatusView::from(&api.node.report())))
}

/// The status of a node as the API gives it.
pub fn status_json(report: &NodeReport) -> serde_json::Value {
    serde_json::to_value(StatusView::from(report)).expect("texts and numbers always serialise")
}

fn names(nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(ToString::to_string).collect()
}

impl From<&NodeReport> for StatusView {
    fn from(report: &NodeReport) -> Self {
        let city = report.node.city();
        let mut groups = report.groups.iter();
        let own = groups.find(|group| group.group.city() == city);
        Self {
            can_lose: own.map_or(0, |own| own.can_lose),
            schema: "tongban.status/v1",
            node: report.node.to_string(),
            failed: report.failed,
            draining: report.draining,
            registry: report.registry,
            connected: names(&report.connected),
            desk_waiting: report.desk_waiting,
            desk_refused: report.desk_refused,
            case_keys: report.case_keys,
            groups: report.groups.iter().map(GroupView::from).collect(),
        }
    }
}

impl From<&GroupReport> for GroupView {
    fn from(report: &GroupReport) -> Self {
        let status = &report.status;
        Self {
            group: report.group.to_string(),
            can_lose: report.can_lose,
            has_quorum: report.has_quorum,
            leader: status.leader.map(|leader| leader.to_string()),
            term: status.term,
            last_index: status.last_index,
            applied_index: status.applied_index,
            purged_index: status.purged_index,
            snapshot_index: status.snapshot_index,
            voters: names(&status.voters),
            learners: names(&status.learners),
            voters_in_touch: report.in_touch,
            stopped: status.stopped,
            diverged: report.diverged,
            time: china_time(report.time),
            cases: report.cases,
            unanswered: report.unanswered,
            refused: report.refused.values().sum(),
            evidence: report.evidence,
        }
    }
}
