//! `OPTIONS`: what of the protocol is spoken here. Anybody may ask.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use tongban_types::limits::BLOB_BYTES_MAX;

use super::protocol::{TUS_RESUMABLE, TUS_VERSION, VERSION};
use crate::problem::Answer;

pub(super) async fn said() -> Answer {
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
