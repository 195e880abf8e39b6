//! `GET /api/v1/events`: what changes in the cases of this city's group, as it changes. An event names
//! the case, its version and its state, nobody and nothing else: whoever may read the list may read
//! what is behind it there.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::{Change, ChangePlace, Changes};
use tongban_types::Code;

use crate::authorization::Operation;
use crate::openapi::{LastEventId, ServerEvent, tag};
use crate::problem::{Answer, Problem, ProblemBody};
use crate::rendering::china_time;
use crate::request::Call;
use crate::state::Shared;
use crate::streaming::{Event, Source, stream};

/// What an event of the kind `change` says.
#[derive(Serialize)]
struct ChangeView {
    case: String,
    version: u32,
    state: &'static str,
    state_zh: &'static str,
    since: String,
}

/// What the first event, of the kind `from`, says: what changes from here on follows.
#[derive(Serialize)]
struct FromView {
    from: String,
}

/// 本市办件的变动 · What changes in this city's cases, as server-sent events.
///
/// The kinds are `from` (once, where the stream begins), `change` (its `data` names `case`, `version`, `state`,
/// `state_zh` and `since`) and `end` (why it ends: `code`, `zh`, `en`). Connect again with
/// the last `id` as `Last-Event-ID` to miss nothing, also across a restart of the node. A comment comes
/// every fifteen seconds.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "followCases", tag = tag::CASES,
    params(LastEventId),
    responses(
        (status = 200, description = "事件流 · A stream of such events", body = ServerEvent, content_type = "text/event-stream"),
        (status = 410, description = "TB7021 此后的变动已不保存, 请重读列表 · Read the list anew", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "TB7022 听众已满, TB4019 尚未追上, 见 Retry-After · Too many listen, or the node has not caught up; Retry-After says when", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(crate) async fn follow(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadCases)?;
    call.query(&[])?;
    let source = match call.last_event_id() {
        Some(id) => CityChanges::behind(&api, id).await?,
        None => CityChanges {
            after: api.node.place()?,
            is_new: true,
        },
    };
    let listening = call.listening(Operation::ReadCases)?;
    Ok(stream(&api, listening, source))
}

/// The changes of the city's group behind a place.
struct CityChanges {
    after: ChangePlace,
    is_new: bool,
}

impl CityChanges {
    async fn behind(api: &Shared, id: &str) -> Result<Self, Problem> {
        let after = place_of(id).ok_or_else(gone)?;
        if api.node.place()?.index < after.index {
            // Another node of the city told it, which is ahead; or it is no place of this city's at all, and
            // whoever waited behind it would miss what changes until then.
            api.node.catch_up().await?;
            if api.node.place()?.index < after.index {
                return Err(gone());
            }
        }
        match api.node.changes(after, 1)? {
            Changes::Held(_) => Ok(Self {
                after,
                is_new: false,
            }),
            Changes::Gone => Err(gone()),
        }
    }
}

impl Source for CityChanges {
    fn look(&mut self, api: &Shared, limit: usize) -> Result<Vec<Event>, Problem> {
        if std::mem::take(&mut self.is_new) {
            let from = id_of(self.after);
            let says = FromView { from: from.clone() };
            return Ok(vec![Event::new("from", Some(&from), &says)]);
        }
        let Changes::Held(changes) = api.node.changes(self.after, limit)? else {
            return Err(gone());
        };
        let mut events = Vec::with_capacity(changes.len());
        for (place, change) in changes {
            self.after = place;
            events.push(Event::new("change", Some(&id_of(place)), &view(change)));
        }
        Ok(events)
    }
}

fn view(change: Change) -> ChangeView {
    ChangeView {
        case: change.case.to_string(),
        version: change.version.0,
        state: change.state.name(),
        state_zh: change.state.zh(),
        since: china_time(change.since),
    }
}

fn id_of(place: ChangePlace) -> String {
    format!("{}-{}", place.index, place.part)
}

fn place_of(id: &str) -> Option<ChangePlace> {
    let (index, part) = id.split_once('-')?;
    Some(ChangePlace {
        index: index.parse().ok()?,
        part: part.parse().ok()?,
    })
}

fn gone() -> Problem {
    Problem::new(StatusCode::GONE, Code::EVENTS_GONE)
}
