//! `/livez`, `/readyz` and `/startupz`, for supervisors and load balancers; open to anybody, and
//! saying nothing of any case. A node without a quorum is not ready, and yet goes on collecting: a
//! balancer asks `/readyz?exclude=quorum`, for to take the node out would turn citizens away.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::NodeHealth;
use tongban_types::Code;
use utoipa::ToSchema;

use crate::catalogue::FieldFault;
use crate::openapi::{Exclude, NotReadyProblem, Switch, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::json;
use crate::request::{Query, bad};
use crate::said::Said;
use crate::state::Shared;
use crate::streaming::Stopping;

/// One thing looked at.
#[derive(Clone, Copy, Serialize, ToSchema)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Whether the answer depends on it.
    required: bool,
    /// What is missing, in Chinese and in English.
    #[serde(skip)]
    missing: (&'static str, &'static str),
}

#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthView {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<Check>>,
}

/// 活着 · Restarting helps when this fails.
#[utoipa::path(
    get, path = "/livez", operation_id = "livez", tag = tag::NODE,
    params(Switch),
    responses(
        (status = 200, description = "活着 · Restarting helps when this fails", body = HealthView),
        NotReadyProblem,
    ),
)]
pub(crate) async fn live(State(api): State<Shared>, request: Request) -> Answer {
    Query::of(request.uri(), &["verbose"])?;
    answer(&request, vec![works(api.node.health())])
}

/// 就绪 · Whether the node takes applications in.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = tag::NODE,
    params(Switch, Exclude),
    responses(
        (status = 200, description = "就绪 · Whether the node takes applications in", body = HealthView),
        NotReadyProblem,
    ),
)]
pub(crate) async fn ready(State(api): State<Shared>, request: Request) -> Answer {
    let health = api.node.health();
    let query = Query::of(request.uri(), &["verbose", "exclude"])?;
    let is_quorum_required = match query.get("exclude") {
        None => true,
        Some("quorum") => false,
        Some(_) => return Err(bad("exclude", Said::new("应为 quorum", "must be quorum"))),
    };
    let checks = vec![
        works(health),
        group(health),
        quorum(health, is_quorum_required),
        state(health),
        serves(health),
        stays(&request),
    ];
    answer(&request, checks)
}

/// 已启动 · The node has come up: every group it knows of was opened, or set aside for good.
///
/// A node whose city's group does not run here, because its replica was set aside or because it waits for its
/// placement, has come up all the same: it serves others, and to start it again would not help.
#[utoipa::path(
    get, path = "/startupz", operation_id = "startupz", tag = tag::NODE,
    params(Switch),
    responses(
        (status = 200, description = "已启动 · Whether the node has come up", body = HealthView),
        NotReadyProblem,
    ),
)]
pub(crate) async fn started(State(api): State<Shared>, request: Request) -> Answer {
    Query::of(request.uri(), &["verbose"])?;
    let health = api.node.health();
    answer(&request, vec![works(health)])
}

fn answer(request: &Request, checks: Vec<Check>) -> Answer {
    let verbose = Query::of(request.uri(), &["verbose", "exclude"])?.is_named("verbose")?;
    let failed = checks.iter().filter(|check| check.required && !check.ok);
    let faults: Vec<FieldFault> = failed
        .map(|check| {
            let (zh, en) = check.missing;
            FieldFault::new(check.name, "check", Said::new(zh, en))
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
        missing: (
            "本节点的日志、状态库或审批组故障",
            "the log, the store or a group of this node has failed",
        ),
    }
}

fn group(health: NodeHealth) -> Check {
    Check {
        name: "group",
        ok: health.runs_own_group,
        required: true,
        missing: (
            "本市审批组没有在本节点运行",
            "the group of this city does not run on this node",
        ),
    }
}

/// Until it is whole no case can be shown, and no repeat of an application told from a first.
fn state(health: NodeHealth) -> Check {
    Check {
        name: "state",
        ok: !health.is_filling,
        required: true,
        missing: (
            "本市审批组的状态正由快照恢复, 暂不能收件和查询",
            "the state of this city's group is being filled from a snapshot; \
             until then nothing is taken in or shown",
        ),
    }
}

/// A node that is told to end takes nothing new in.
fn stays(request: &Request) -> Check {
    let stopping = request.extensions().get::<Stopping>();
    Check {
        name: "stays",
        ok: stopping.is_none_or(|Stopping(told)| !*told.borrow()),
        required: true,
        missing: ("本节点正在停止", "this node is stopping"),
    }
}

fn serves(health: NodeHealth) -> Check {
    Check {
        name: "serves",
        ok: !health.draining,
        required: true,
        missing: ("本节点已停用维护", "this node is drained for maintenance"),
    }
}

fn quorum(health: NodeHealth, required: bool) -> Check {
    Check {
        name: "quorum",
        ok: health.has_quorum,
        required,
        missing: (
            "本市审批组没有主副本或多数",
            "the group of this city has no leader or no majority",
        ),
    }
}
