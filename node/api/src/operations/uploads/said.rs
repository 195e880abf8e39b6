//! `OPTIONS`: what of the protocol is spoken here. Anybody may ask.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::IntoResponse as _;
use tongban_runtime::UploadId;
use tongban_types::limits::BLOB_BYTES_MAX;

use super::protocol::{TUS_VERSION, VERSION, tus};
use crate::openapi::{UploadPath, tag};
use crate::problem::Answer;
use crate::request::{Query, raw_path};

/// 上传协议 · What of the protocol is spoken here. Anybody may ask.
#[utoipa::path(
    options, path = "/api/v1/uploads", operation_id = "describeUploads", tag = tag::FILES,
    responses((status = 204, description = "tus 1.0.0", headers(
        ("Tus-Version" = String, description = "1.0.0"),
        ("Tus-Extension" = String, description = "creation,expiration,termination"),
        ("Tus-Max-Size" = String, description = "字节 · Bytes at most"),
    ))),
)]
pub(in crate::operations) async fn said(request: Request) -> Answer {
    tus(spoken(request.uri()))
}

/// 上传协议 · The same of one upload.
#[utoipa::path(
    options, path = "/api/v1/uploads/{id}", operation_id = "describeUpload", tag = tag::FILES,
    params(UploadPath),
    responses((status = 204, description = "tus 1.0.0")),
)]
pub(in crate::operations) async fn said_of_one(request: Request) -> Answer {
    tus(spoken_of_one(request).await)
}

/// Whether there is such an upload is told to whoever holds the token that began it.
async fn spoken_of_one(request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    raw_path(&mut parts, "id").await?.parse::<UploadId>()?;
    spoken(&parts.uri)
}

fn spoken(uri: &Uri) -> Answer {
    Query::of(uri, &[])?;
    let extensions = HeaderValue::from_static("creation,expiration,termination");
    let headers = [
        (TUS_VERSION, VERSION),
        (HeaderName::from_static("tus-extension"), extensions),
        (
            HeaderName::from_static("tus-max-size"),
            BLOB_BYTES_MAX.into(),
        ),
    ];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
