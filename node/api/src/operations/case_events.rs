//! `GET /api/v1/cases/{number}/events`: the steps of one case, as they are taken. Its places are the
//! case's versions, and every step is kept with the case: going on is possible for ever.

use axum::extract::{Request, State};
use serde::Serialize;
use tongban_types::{CaseNumber, CaseVersion};

use crate::authorization::Operation;
use crate::openapi::{CasePath, CaseProblems, LastEventId, ServerEvent, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::china_time;
use crate::request::Call;
use crate::state::Shared;
use crate::streaming::{Event, Source, stream};

/// What an event of the kind `step` says.
#[derive(Serialize)]
struct StepView {
    case: String,
    version: u32,
    state: &'static str,
    state_zh: &'static str,
    at: String,
}

/// 一件办件的变动 · The steps of a case, as server-sent events.
///
/// Without `Last-Event-ID` it begins with how the case stands. The kinds are `step` (its `data` names `case`,
/// `version`, `state`, `state_zh` and `at`) and `end` (why it ends: `code`, `zh`, `en`); an
/// `id` is the version the step led to. A comment comes every fifteen seconds.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/events", operation_id = "followCase", tag = tag::CASES,
    params(CasePath, LastEventId),
    responses(
        (status = 200, description = "事件流 · A stream of such events", body = ServerEvent, content_type = "text/event-stream"),
        CaseProblems,
    ),
    security(("token" = [])),
)]
pub(crate) async fn follow(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadCases)?;
    let number: CaseNumber = call.path("number").await?;
    call.query(&[])?;
    let record = api.node.case(number)?.record;
    let now = record.map_or(CaseVersion(0), |record| record.version);
    // One that is no version is as good as none. One this node does not show yet was seen at another
    // node of the city: this one will show what follows it.
    let told = call.last_event_id().and_then(|id| id.parse().ok());
    let told = told.map(CaseVersion);
    let source = CaseSteps {
        number,
        after: told.unwrap_or_else(|| CaseVersion(now.0.saturating_sub(1))),
    };
    let listening = call.listening(Operation::ReadCases)?;
    Ok(stream(&api, listening, source))
}

/// The steps of a case behind a version.
struct CaseSteps {
    number: CaseNumber,
    after: CaseVersion,
}

impl CaseSteps {
    /// A change that is no step: its document came, or a request of the other city's was answered.
    fn standing(&mut self, api: &Shared) -> Result<Option<Event>, Problem> {
        let listed = api.node.cases(None, Some(self.number), 1)?.cases;
        let record = listed.first();
        let record = record.filter(|record| record.envelope.number == self.number);
        let Some(record) = record.filter(|record| record.version > self.after) else {
            return Ok(None);
        };
        self.after = record.version;
        let says = StepView {
            case: self.number.to_string(),
            version: record.version.0,
            state: record.state.name(),
            state_zh: record.state.zh(),
            at: china_time(record.since),
        };
        let id = record.version.0.to_string();
        Ok(Some(Event::new("step", Some(&id), &says)))
    }
}

impl Source for CaseSteps {
    fn look(&mut self, api: &Shared, limit: usize) -> Result<Vec<Event>, Problem> {
        let steps = api.node.steps_behind(self.number, self.after, limit)?;
        let mut events = Vec::with_capacity(steps.len() + 1);
        for (version, step) in &steps {
            let says = StepView {
                case: self.number.to_string(),
                version: version.0,
                state: step.state.name(),
                state_zh: step.state.zh(),
                at: china_time(step.at),
            };
            self.after = *version;
            events.push(Event::new("step", Some(&version.0.to_string()), &says));
        }
        if events.len() < limit {
            events.extend(self.standing(api)?);
        }
        Ok(events)
    }
}
