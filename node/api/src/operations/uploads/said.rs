//! `OPTIONS`: what of the protocol is spoken here. Anybody may ask.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use tongban_types::limits::BLOB_BYTES_MAX;

use super::protocol::{TUS_RESUMABLE, TUS_VERSION, VERSION};
use crate::openapi::tag;
use crate::problem::Answer;

/// 上传协议 · What of the protocol is spoken here. Anybody may ask.
#[utoipa::path(
    options, path = "/api/v1/uploads", operation_id = "describeUploads", tag = tag::FILES,
    responses((status = 204, description = "tus 1.0.0", headers(
        ("Tus-Version" = String, description = "1.0.0"),
        ("Tus-Extension" = String, description = "creation,expiration,termination"),
        ("Tus-Max-Size" = String, description = "字节 · Bytes at most"),
    ))),
)]
pub(in crate::operations) async fn said() -> Answer {
    let extensions = HeaderValue::from_static("creation,expiration,termination");
    let headers = [
        (TUS_RESUMABLE, VERSION),
        (TUS_VERSION, VERSION),
        (HeaderName::from_static("tus-extension"), extensions),
        (
            HeaderName::from_static("tus-max-size"),
            BLOB_BYTES_MAX.into(),
        ),
    ];
    std::future::ready(Ok((StatusCode::NO_CONTENT, headers).into_response())).await
}

/// 上传协议 · The same of one upload.
#[utoipa::path(
    options, path = "/api/v1/uploads/{id}", operation_id = "describeUpload", tag = tag::FILES,
    params(("id" = String, Path, description = "上传编号 · Its id", pattern = "^[0-9a-f]{32}$")),
    responses((status = 204, description = "tus 1.0.0")),
)]
pub(in crate::operations) async fn said_of_one() -> Answer {
    said().await
}
