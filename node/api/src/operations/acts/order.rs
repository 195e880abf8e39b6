//! What all acts have in common: the case, the version the actor saw, and the key under which the
//! act is done once.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::time::Instant;
use tongban_runtime::{Act, NodeError, Refusal};
use tongban_trust::Json;
use tongban_types::{Actor, CaseNumber, CaseVersion, Code, CommandId, Decision, Hash};
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::openapi::{CaseNumberKind, CaseStateKind};
use crate::problem::{Answer, Problem};
use crate::rendering::{CaseView, json, mark_replayed};
use crate::request::{BodyFields, Call, Expected, carried_out, shape};
use crate::said::Said;
use crate::state::{ApiState, Shared};

/// An act asked for, without what is particular to it.
pub(super) struct Order {
    pub(super) case: CaseNumber,
    /// Hash of the token that asks.
    pub(super) asker: Hash,
    actor: Actor,
    pub(super) id: CommandId,
    expected: Expected,
    /// When it was read: whoever asks waits since then.
    begun: Instant,
}

/// How a case stands after an act.
#[derive(Serialize, ToSchema)]
#[schema(as = Acted)]
pub(crate) struct ActedView {
    #[schema(value_type = CaseNumberKind)]
    case: String,
    version: u32,
    #[schema(value_type = CaseStateKind)]
    state: &'static str,
    state_zh: &'static str,
}

/// What is sent with an act that needs no more than the case.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
pub(super) struct BareBody {
    /// The version the act is based on, unless `If-Match` says it.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 4_294_967_295_u32)]
    expected_version: Option<u32>,
}

impl Order {
    /// Reads what all acts have in common, and leaves the rest of the body.
    pub(super) async fn read(
        api: &ApiState,
        request: Request,
        operation: Operation,
    ) -> Result<(Self, BodyFields), Problem> {
        let mut call = Call::open(api, request, operation)?;
        let case = call.path("number").await?;
        call.query(&[])?;
        let id = call.command_id()?;
        let by_header = call.if_match()?;
        let (session, mut fields) = call.body().await?;
        let in_body = fields.optional_count("expected_version")?.map(CaseVersion);
        let order = Self {
            case,
            asker: session.token_hash,
            actor: session.actor,
            id,
            expected: expected(by_header, in_body)?,
            begun: Instant::now(),
        };
        Ok((order, fields))
    }

    /// Reads an act that needs no more than the case.
    pub(super) async fn read_bare(
        api: &ApiState,
        request: Request,
        operation: Operation,
    ) -> Result<Self, Problem> {
        let (order, fields) = Self::read(api, request, operation).await?;
        fields.end()?;
        Ok(order)
    }

    /// Has the node do it.
    pub(super) async fn carry_out(self, api: &Shared, act: Act) -> Answer {
        let (case, Expected { version, by_header }) = (self.case, self.expected);
        let node = Arc::clone(&api.node);
        let (actor, id, waited) = (self.actor, self.id, self.begun.elapsed());
        let order = async move { node.act(actor, id, case, version, act, waited).await };
        let acted = match carried_out(order).await? {
            Ok(acted) => acted,
            Err(error) => return Err(problem_of(api, case, error, by_header)),
        };
        let view = ActedView {
            case: acted.case.to_string(),
            version: acted.version.0,
            state: acted.state.name(),
            state_zh: acted.state.zh(),
        };
        let mut response = json(StatusCode::OK, &view);
        if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", acted.version.0)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        if acted.repeated {
            mark_replayed(&mut response);
        }
        Ok(response)
    }
}

/// A stale version is answered with the case as it stands, for whoever must see what changed.
fn problem_of(api: &ApiState, case: CaseNumber, error: NodeError, by_header: bool) -> Problem {
    let is_stale = matches!(error, NodeError::Refused(Refusal::StaleVersion { .. }));
    let mut problem = Problem::from(error);
    let current = is_stale.then(|| api.node.case(case).ok()?.record).flatten();
    if let Some(record) = &current {
        problem = problem.current(&CaseView::from(record));
    }
    if is_stale && by_header {
        problem.status(StatusCode::PRECONDITION_FAILED)
    } else {
        problem
    }
}

fn expected(
    by_header: Option<CaseVersion>,
    in_body: Option<CaseVersion>,
) -> Result<Expected, Problem> {
    let said = |version, by_header| Expected { version, by_header };
    match (by_header, in_body) {
        (Some(header), Some(body)) if header != body => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            Code::VERSION_MALFORMED,
        )),
        (Some(version), _) => Ok(said(version, true)),
        (None, Some(version)) => Ok(said(version, false)),
        (None, None) => Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            Code::VERSION_MISSING,
        )),
    }
}

/// `grant` or `refuse`.
pub(super) fn decision(fields: &mut BodyFields, name: &str) -> Result<Decision, Problem> {
    match fields.take(name)? {
        Json::Text(text) if text == "grant" => Ok(Decision::Grant),
        Json::Text(text) if text == "refuse" => Ok(Decision::Refuse),
        _ => {
            let says = Said::new("应为 grant 或 refuse", "must be grant or refuse");
            Err(shape(&fields.at(name), says))
        }
    }
}
