//! `GET /api/v1/documents`: the documents of the cases this city is party to, a page at a time, without
//! what stands in them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_runtime::{CasePage, CaseRecord, DocumentList, DocumentStage, NodeError};
use tongban_types::{CaseNumber, ItemCode};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{PartialSchema as _, ToSchema};

use super::looking::look_through;
use crate::authorization::Operation;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::openapi::{
    CaseNumberKind, Cursor, Fresh, Limit, ListProblems, Moment, OfItem, Sha256Kind,
    query_parameter, tag,
};
use crate::problem::{Answer, Problem};
use crate::rendering::{ItemView, PlaceView, china_time, json, stage_of};
use crate::request::{Call, bad, case_number, cursor_of, linked_to_next, parsed, position};
use crate::said::Said;
use crate::state::{ApiState, Shared};

const PATH: &str = "/api/v1/documents";

/// What `state` may say.
const PENDING: &str = "pending";
const ISSUED: &str = "issued";

#[derive(Serialize, ToSchema)]
#[schema(as = DocumentPage)]
struct PageView {
    documents: Vec<ListedDocument>,
    /// Goes into `cursor` for the next page. Where the list is narrowed, a page may have fewer documents than
    /// asked for and yet a next one.
    next: Option<String>,
}

/// A document of a list. What stands in it is read at `/api/v1/cases/{case}/document`.
#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
pub(crate) struct ListedDocument {
    #[schema(value_type = CaseNumberKind)]
    case: String,
    item: ItemView,
    /// Its type (`vct`), where this node's catalogue has the item.
    #[schema(example = "urn:tongban:vct:hukou-migration-permit:1")]
    kind: Option<String>,
    name_zh: Option<String>,
    /// The city that issues it.
    issuer: PlaceView,
    /// `owed`, `prepared` or `issued`.
    #[schema(example = "issued")]
    stage: &'static str,
    /// Of its compact form, once it is issued.
    #[schema(value_type = Option<Sha256Kind>)]
    sha256: Option<String>,
    /// When the case was granted.
    #[schema(value_type = Option<Moment>)]
    granted_at: Option<String>,
}

/// What a list is narrowed by.
enum ListQuery {}

impl utoipa::IntoParams for ListQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        vec![
            query_parameter(
                "case",
                "办件编号 · Only of this case",
                CaseNumberKind::schema(),
            ),
            query_parameter(
                "state",
                "pending 待签发 (仅办理城市知道), issued 已签发 · `pending`: granted and not signed yet, known where the case is decided; `issued`",
                text().enum_values(Some([PENDING, ISSUED])),
            ),
        ]
    }
}

/// 文书列表 · The documents of the cases this city is party to, a page at a time.
#[utoipa::path(
    get, path = "/api/v1/documents", operation_id = "listDocuments", tag = tag::CASES,
    params(ListQuery, OfItem, Cursor, Limit, Fresh),
    responses((status = 200, description = "一页 · A page", body = PageView, headers(
        ("Link" = String, description = "`rel=\"next\"`: 下一页 · the next page (RFC 8288)"),
    )), ListProblems),
    security(("token" = [])),
)]
pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadCases)?;
    let query = call.query(&["case", "state", "item", "cursor", "limit", "fresh"])?;
    let cursor = query.get("cursor").map(position).transpose()?;
    let limit = query.number("limit", 1..=PAGE_MAX)?.unwrap_or(PAGE_DEFAULT);
    let narrowed = Narrowed {
        state: match query.get("state") {
            None => None,
            Some(PENDING) => Some(DocumentList::Pending),
            Some(ISSUED) => Some(DocumentList::Issued),
            Some(_) => {
                let says = Said::new("应为 pending 或 issued", "must be pending or issued");
                return Err(bad("state", says));
            }
        },
        item: parsed(&query, "item")?,
    };
    let case = case_number(&query, "case")?;
    if query.is_on("fresh")? {
        api.node.catch_up().await?;
    }
    let page = match case {
        Some(case) => narrowed.of_case(&api, case)?,
        None => narrowed.page(&api, cursor, limit)?,
    };
    let records = page.cases.iter();
    let view = PageView {
        documents: records.map(|record| document(&api, record)).collect(),
        next: page.next.map(cursor_of),
    };
    let response = json(StatusCode::OK, &view);
    let query = narrowed.to_query();
    Ok(linked_to_next(
        response,
        PATH,
        &query,
        limit,
        view.next.as_deref(),
    ))
}

/// What a list is narrowed to.
struct Narrowed {
    state: Option<DocumentList>,
    item: Option<ItemCode>,
}

impl Narrowed {
    fn takes(&self, record: &CaseRecord) -> bool {
        let is_of_state = match record.document {
            DocumentStage::None => false,
            DocumentStage::Owed | DocumentStage::Prepared { .. } => {
                self.state != Some(DocumentList::Issued)
            }
            DocumentStage::Issued { .. } => self.state != Some(DocumentList::Pending),
        };
        is_of_state
            && self
                .item
                .is_none_or(|item| item == record.envelope.item.code)
    }

    /// The document of one case, if it has one. A case that is not of this city has none here.
    fn of_case(&self, api: &ApiState, case: CaseNumber) -> Result<CasePage, Problem> {
        let record = match api.node.case(case) {
            Ok(opened) => opened.record,
            Err(NodeError::NoSuchCase(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(CasePage {
            cases: record.into_iter().filter(|one| self.takes(one)).collect(),
            next: None,
        })
    }

    /// A page, of which a bounded number of documents is looked through.
    fn page(
        &self,
        api: &ApiState,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, Problem> {
        if self.item.is_none() {
            return Ok(api.node.cases_with_document(self.state, from, limit)?);
        }
        let takes = |record: &CaseRecord| self.takes(record);
        look_through(from, limit, takes, |from| {
            api.node.cases_with_document(self.state, from, PAGE_MAX)
        })
    }

    fn to_query(&self) -> String {
        let state = self.state.map(|state| match state {
            DocumentList::Pending => format!("state={PENDING}&"),
            DocumentList::Issued => format!("state={ISSUED}&"),
        });
        let item = self.item.map(|item| format!("item={item}&"));
        [state, item].into_iter().flatten().collect()
    }
}

fn document(api: &ApiState, record: &CaseRecord) -> ListedDocument {
    let envelope = &record.envelope;
    let item = api.catalogue.item(envelope.item);
    let template = item.and_then(|item| item.document.as_ref());
    let (stage, sha256) = stage_of(record.document);
    ListedDocument {
        case: envelope.number.to_string(),
        item: envelope.item.into(),
        kind: template.map(|template| template.vct.clone()),
        name_zh: template.map(|template| template.name_zh.clone()),
        issuer: envelope.authority.into(),
        stage,
        sha256,
        granted_at: record.decision.as_ref().map(|made| china_time(made.at)),
    }
}
