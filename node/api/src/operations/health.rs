//! `/livez`, `/readyz` and `/startupz`, for supervisors and load balancers; open to anybody, and
//! saying nothing of any case. A node without a quorum stays ready: it goes on collecting, and to
//! take it out of the balancer would turn citizens away. What is missing is listed all the same.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::NodeHealth;
use tongban_types::Code;

use crate::catalogue::FieldFault;
use crate::problem::{Answer, Problem};
use crate::rendering::json;
use crate::request::Query;
use crate::state::Shared;

/// One thing looked at.
#[derive(Clone, Copy, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Whether the answer depends on it.
    required: bool,
    #[serde(skip)]
    missing_zh: &'static str,
}

#[derive(Serialize)]
struct HealthView {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<Check>>,
}

/// Restarting helps when the node has failed.
pub(crate) async fn live(State(api): State<Shared>, request: Request) -> Answer {
    answer(&request, vec![works(api.node.health())])
}

/// Whether the node takes applications in.
pub(crate) async fn ready(State(api): State<Shared>, request: Request) -> Answer {
    let health = api.node.health();
    let checks = vec![
        works(health),
        registry(health),
        group(health),
        quorum(health),
    ];
    answer(&request, checks)
}

/// Whether the node has come up: it knows its federation and its group.
pub(crate) async fn started(State(api): State<Shared>, request: Request) -> Answer {
    let health = api.node.health();
    answer(&request, vec![registry(health), group(health)])
}

fn answer(request: &Request, checks: Vec<Check>) -> Answer {
    let verbose = Query::of(request.uri(), &["verbose"])?.is_on("verbose")?;
    let failed = checks.iter().filter(|check| check.required && !check.ok);
    let faults: Vec<FieldFault> = failed
        .map(|check| FieldFault {
            pointer: check.name.to_owned(),
            keyword: "check".to_owned(),
            message: check.missing_zh.to_owned(),
        })
        .collect();
    if !faults.is_empty() {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::NOT_READY);
        return Err(problem.errors(faults).retry_later());
    }
    let view = HealthView {
        ok: true,
        checks: verbose.then_some(checks),
    };
    Ok(json(StatusCode::OK, &view))
}

fn works(health: NodeHealth) -> Check {
    Check {
        name: "log",
        ok: !health.failed,
        required: true,
        missing_zh: "本节点的日志、状态库或审批组故障",
    }
}

fn registry(health: NodeHealth) -> Check {
    Check {
        name: "registry",
        ok: health.registry.is_some(),
        required: true,
        missing_zh: "尚无登记簿",
    }
}

fn group(health: NodeHealth) -> Check {
    Check {
        name: "group",
        ok: health.runs_own_group,
        required: true,
        missing_zh: "本市审批组没有在本节点运行",
    }
}

fn quorum(health: NodeHealth) -> Check {
    Check {
        name: "quorum",
        ok: health.has_quorum,
        required: false,
        missing_zh: "本市审批组没有主副本或多数",
    }
}
