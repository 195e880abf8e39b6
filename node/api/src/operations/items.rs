//! `GET /api/v1/items`: the items of the catalogue with their terms.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::HandlingMode;
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::catalogue::{Item, Names};
use crate::openapi::{HandlingModeKind, ItemCodeKind, Sha256Kind, tag};
use crate::problem::Answer;
use crate::rendering::json;
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Items)]
struct ItemsView<'a> {
    items: Vec<ItemView<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Item)]
struct ItemView<'a> {
    #[schema(value_type = ItemCodeKind)]
    code: String,
    version: u32,
    name: &'a Names,
    #[schema(value_type = HandlingModeKind)]
    handling_mode: HandlingMode,
    notice_days: u16,
    promise_days: u16,
    statutory_days: Option<u16>,
    document_type: Option<&'a str>,
    #[schema(value_type = Sha256Kind)]
    file_sha256: String,
}

/// 事项目录 · The items of the catalogue with their terms.
#[utoipa::path(
    get, path = "/api/v1/items", operation_id = "listItems", tag = tag::ITEMS,
    responses((status = 200, description = "目录 · The catalogue", body = ItemsView)),
    security(("token" = [])),
)]
pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadItems)?;
    call.query(&[])?;
    let items = api.catalogue.items().map(|item| ItemView::from(&**item));
    let view = ItemsView {
        items: items.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

impl<'a> From<&'a Item> for ItemView<'a> {
    fn from(item: &'a Item) -> Self {
        let terms = &item.terms;
        Self {
            code: terms.item.code.to_string(),
            version: terms.item.version,
            name: &item.name,
            handling_mode: terms.mode,
            notice_days: terms.notice_days,
            promise_days: terms.promise_days,
            statutory_days: terms.statutory_days,
            document_type: terms.document_type.as_deref(),
            file_sha256: terms.file.to_string(),
        }
    }
}
