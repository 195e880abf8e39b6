//! `GET /api/v1/items/{code}/{version}`: an item's file as it was published, with its form's
//! schema. The bytes are those whose SHA-256 is bound into the log.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use tongban_types::{ItemCode, ItemVersion};

use crate::authorization::Operation;
use crate::openapi::{ItemCodeKind, tag};
use crate::problem::{Answer, Problem, ProblemBody};
use crate::request::Call;
use crate::state::Shared;

/// 一个事项版本 · An item's file as it was published, with its form's schema.
///
/// Byte for byte: its SHA-256 is bound into the log.
#[utoipa::path(
    get, path = "/api/v1/items/{code}/{version}", operation_id = "readItem", tag = tag::ITEMS,
    params(
        ("code" = ItemCodeKind, Path, description = "事项基本编码 · Its code"),
        ("version" = u32, Path, description = "版本, 从 1 起 · Its version, from 1", minimum = 1, maximum = 999_999_999_u32),
    ),
    responses(
        (status = 200, description = "事项文件 · The file", body = Object, headers(
            ("ETag" = String, description = "文件的 SHA-256"),
        )),
        (status = 404, description = "TB3013 目录中没有 · Not in the catalogue", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadItems)?;
    let code: ItemCode = call.path("code").await?;
    let version = call.raw_path("version").await?;
    call.query(&[])?;
    let found = version
        .parse()
        .ok()
        .and_then(|version| api.catalogue.item(ItemVersion { code, version }));
    let Some(item) = found else {
        return Err(Problem::unknown_item(StatusCode::NOT_FOUND));
    };
    let kind = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, kind)], item.file().to_vec()).into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", item.terms.file)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}
