//! `GET /api/v1/cases`: the cases of this city's group, a page at a time, without forms.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tongban_runtime::{CasePage, CaseRecord, NodeError, StoredCase};
use tongban_types::{CaseNumber, CaseState, CityCode, Code, ItemCode};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{PartialSchema as _, ToSchema};

use super::looking::look_through;
use crate::authorization::Operation;
use crate::limits::{COUNTED_AT_ONCE, COUNTED_MAX, PAGE_DEFAULT, PAGE_MAX};
use crate::openapi::{CityKind, Cursor, Fresh, Limit, ListProblems, OfItem, query_parameter, tag};
use crate::places::Place;
use crate::problem::{Answer, Problem};
use crate::rendering::{CaseView, StoredView, json};
use crate::request::{Call, bad, cursor_of, linked_to_next, parsed, position, unfit};
use crate::said::Said;
use crate::state::{ApiState, Shared};

/// What `state` says for cases that only this desk has: no state of the group.
const STORED: &str = "stored";

#[derive(Serialize, ToSchema)]
#[schema(as = CasePage)]
struct PageView<'a> {
    cases: Vec<CaseView<'a>>,
    /// What this desk took in and the group does not have yet: with the first page of all cases, and
    /// by itself for `state=stored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Vec<StoredView<'a>>>,
    /// Goes into `cursor` for the next page. Where the list is narrowed, a page may have fewer cases than
    /// asked for and yet a next one.
    next: Option<String>,
    /// How many cases there are in all, where `count=exact` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<CountView>,
}

/// How many cases there are.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseCount)]
struct CountView {
    cases: usize,
    /// False where a hundred thousand cases were looked through and there are more: at least so many match.
    exact: bool,
}

/// What a list is narrowed by.
enum ListQuery {}

impl utoipa::IntoParams for ListQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let states = CaseState::ALL.map(CaseState::name).into_iter();
        let city = CityKind::schema;
        vec![
            query_parameter("intake", "收件城市 · Only collected in this city", city()),
            query_parameter(
                "authority",
                "办理城市 · Only for this city to decide",
                city(),
            ),
            query_parameter(
                "count",
                "exact 时另给总数 · `exact`: say also how many there are in all",
                text().enum_values(Some(["exact"])),
            ),
            query_parameter(
                "state",
                "状态; stored 为尚未进入审批组的 · Only in this state; `stored`: only at this desk yet",
                text().enum_values(Some(states.chain([STORED]))),
            ),
        ]
    }
}

/// 办件列表 · The cases of this city's group, a page at a time, without forms.
#[utoipa::path(
    get, path = "/api/v1/cases", operation_id = "listCases", tag = tag::CASES,
    params(OfItem, ListQuery, Cursor, Limit, Fresh),
    responses((status = 200, description = "一页 · A page", body = PageView, headers(
        ("Link" = String, description = "`rel=\"next\"`: 下一页 · the next page (RFC 8288)"),
    )), ListProblems),
    security(("token" = [])),
)]
pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadCases)?;
    let query = call.query(&[
        "state",
        "item",
        "intake",
        "authority",
        "cursor",
        "limit",
        "count",
        "fresh",
    ])?;
    let is_counted = match query.get("count") {
        None => false,
        Some("exact") => true,
        Some(_) => return Err(bad("count", Said::new("应为 exact", "must be exact"))),
    };
    let cursor = query.get("cursor").map(position).transpose()?;
    let limit = query.number("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    if query.get("state") == Some(STORED) {
        let others = ["item", "intake", "authority", "count"];
        return match others.iter().find(|name| query.get(name).is_some()) {
            Some(name) => {
                let says = Said::new("不能与 state=stored 同用", "does not go with state=stored");
                Err(unfit(name, says))
            }
            None => Ok(stored_page(&api, cursor, limit)),
        };
    }
    let state = query
        .get("state")
        .map(str::parse::<CaseState>)
        .transpose()
        .map_err(|()| bad("state", Said::new("没有这个状态", "is no state of a case")))?;
    if query.is_on("fresh")? {
        api.node.catch_up().await?;
    }
    let narrowed = Narrowed {
        state,
        item: parsed(&query, "item")?,
        intake: parsed(&query, "intake")?,
        authority: parsed(&query, "authority")?,
    };
    let page = narrowed.page(&api, cursor, limit)?;
    let count = if is_counted {
        let place = call.places().countings;
        let place = place.take(call.session.token_hash, Code::NODE_BUSY)?;
        Some(count(&api, narrowed.clone(), place).await?)
    } else {
        None
    };
    // They are this desk's own and not the group's, so they are shown beside its cases.
    let is_first_of_all = narrowed == Narrowed::default() && cursor.is_none();
    let stored = is_first_of_all.then(|| api.node.stored_cases(None, limit));
    let view = PageView {
        cases: page.cases.iter().map(CaseView::from).collect(),
        stored: stored.as_deref().map(stored_views),
        next: page.next.map(cursor_of),
        count,
    };
    Ok(linked(&view, &narrowed.to_query(), limit))
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Narrowed {
    state: Option<CaseState>,
    item: Option<ItemCode>,
    intake: Option<CityCode>,
    authority: Option<CityCode>,
}

impl Narrowed {
    fn takes(&self, record: &CaseRecord) -> bool {
        let envelope = &record.envelope;
        self.item.is_none_or(|item| item == envelope.item.code)
            && self.intake.is_none_or(|city| city == envelope.intake)
            && self.authority.is_none_or(|city| city == envelope.authority)
    }

    /// Whether the node's own lists are what is asked for.
    fn is_by_state_alone(&self) -> bool {
        self.item.is_none() && self.intake.is_none() && self.authority.is_none()
    }

    /// A page, of which a bounded number of cases is looked through.
    fn page(
        &self,
        api: &ApiState,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, Problem> {
        if self.is_by_state_alone() {
            return Ok(api.node.cases(self.state, from, limit)?);
        }
        let takes = |record: &CaseRecord| self.takes(record);
        look_through(from, limit, takes, |from| {
            api.node.cases(self.state, from, PAGE_MAX)
        })
    }

    fn to_query(&self) -> String {
        let state = self.state.map(|state| format!("state={state}&"));
        let item = self.item.map(|item| format!("item={item}&"));
        let intake = self.intake.map(|city| format!("intake={city}&"));
        let authority = self.authority.map(|city| format!("authority={city}&"));
        [state, item, intake, authority]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Counts, beside what is answered meanwhile.
async fn count(api: &Shared, narrowed: Narrowed, place: Place) -> Result<CountView, Problem> {
    let api = api.clone();
    let counting = tokio::task::spawn_blocking(move || {
        // It goes on without its client, and keeps its place.
        let _place = place;
        let (mut cases, mut from) = (0, None);
        for _ in 0..COUNTED_MAX / COUNTED_AT_ONCE {
            let page = api.node.cases(narrowed.state, from, COUNTED_AT_ONCE)?;
            cases += page
                .cases
                .iter()
                .filter(|record| narrowed.takes(record))
                .count();
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let exact = from.is_none();
        Ok::<_, NodeError>(CountView { cases, exact })
    });
    let counted = counting
        .await
        .map_err(|gone| NodeError::Failed(gone.to_string()))?;
    Ok(counted?)
}

fn stored_page(api: &ApiState, after: Option<CaseNumber>, limit: usize) -> Response {
    let stored = api.node.stored_cases(after, limit);
    let last = stored.last().filter(|_| stored.len() == limit);
    let view = PageView {
        cases: Vec::new(),
        stored: Some(stored_views(&stored)),
        next: last.map(|last| cursor_of(last.number)),
        count: None,
    };
    linked(&view, "state=stored&", limit)
}

fn stored_views(stored: &[StoredCase]) -> Vec<StoredView<'_>> {
    stored.iter().map(StoredView::from).collect()
}

fn linked(view: &PageView<'_>, query: &str, limit: usize) -> Response {
    let next = view.next.as_deref();
    linked_to_next(
        json(StatusCode::OK, view),
        "/api/v1/cases",
        query,
        limit,
        next,
    )
}
