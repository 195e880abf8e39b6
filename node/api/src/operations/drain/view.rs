//! Whether the node is drained, and what speaks against stopping it.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tongban_runtime::{Hindrance, hindrances};
use utoipa::ToSchema;

use crate::openapi::{CityKind, NodeIdKind};
use crate::rendering::json;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = Drain)]
pub(crate) struct DrainView {
    schema: &'static str,
    #[schema(value_type = NodeIdKind)]
    node: String,
    draining: bool,
    /// Nothing speaks against stopping it.
    safe_to_stop: bool,
    /// What does.
    hindrances: Vec<HindranceView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Hindrance)]
struct HindranceView {
    /// `not-draining`, `leads`, `desk-waits` or `needed`.
    kind: &'static str,
    /// The group it is about.
    #[schema(value_type = Option<CityKind>)]
    group: Option<String>,
    zh: String,
    en: String,
}

impl From<Hindrance> for HindranceView {
    fn from(hindrance: Hindrance) -> Self {
        let (kind, group, zh, en) = match hindrance {
            Hindrance::NotDraining => (
                "not-draining",
                None,
                "没有停用, 随时可能收件或主持".to_owned(),
                "it is not being drained".to_owned(),
            ),
            Hindrance::Leads(group) => (
                "leads",
                Some(group),
                format!("还主持 {group} 组"),
                format!("it leads group {group}"),
            ),
            Hindrance::DeskWaits(count) => (
                "desk-waits",
                None,
                format!("有 {count} 件已收件尚未进入审批组"),
                format!("{count} applications it took in are in no group yet"),
            ),
            Hindrance::Needed(group) => (
                "needed",
                Some(group),
                format!("{group} 组少了它就没有多数"),
                format!("group {group} has no majority without it"),
            ),
        };
        Self {
            kind,
            group: group.map(|group| group.to_string()),
            zh,
            en,
        }
    }
}

/// What is answered by all three.
pub(super) fn answer(api: &ApiState) -> Response {
    let report = api.node.report();
    let found = hindrances(&report);
    let view = DrainView {
        schema: "tongban.drain/v1",
        node: report.node.to_string(),
        draining: report.draining,
        safe_to_stop: found.is_empty(),
        hindrances: found.into_iter().map(HindranceView::from).collect(),
    };
    json(StatusCode::OK, &view)
}
