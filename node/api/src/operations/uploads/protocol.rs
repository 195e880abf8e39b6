//! What the operations of the tus protocol have in common: its headers, read and written, and how an
//! upload stands.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tongban_runtime::{Upload, UploadId};
use tongban_types::{Code, Hash, Timestamp};

use crate::problem::{Answer, Problem};
use crate::request::{Call, carried_out};
use crate::said::Said;
use crate::state::Shared;

/// The one version spoken.
pub(super) const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// Every answer says the version, whatever else it says.
pub(super) fn tus(answer: Answer) -> Answer {
    match answer {
        Ok(mut response) => {
            response.headers_mut().insert(TUS_RESUMABLE, VERSION);
            Ok(response)
        }
        Err(problem) => Err(problem.header(TUS_RESUMABLE, VERSION)),
    }
}

/// A client that speaks another version, or none, is told which one is spoken here.
pub(super) fn check_version(call: &Call) -> Result<(), Problem> {
    if call.header(&TUS_RESUMABLE)? == VERSION.to_str().ok() {
        return Ok(());
    }
    let problem =
        Problem::new(StatusCode::PRECONDITION_FAILED, Code::HEADER_MALFORMED).detail(Said::new(
            "请求头 Tus-Resumable 应为 1.0.0",
            "The header Tus-Resumable must be 1.0.0.",
        ));
    Err(problem.header(TUS_VERSION, VERSION))
}

/// A count of bytes in a header: digits only.
pub(super) fn count(call: &Call, name: &HeaderName) -> Result<u64, Problem> {
    let digits = call.header(name)?.filter(|text| {
        (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    });
    digits.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, Code::HEADER_MALFORMED).detail(Said::new(
            format!("请求头 {name} 应为字节数"),
            format!("The header {name} must be a number of bytes."),
        ))
    })
}

/// Makes what came of an upload durable, and says how it stands then.
pub(super) async fn committed(api: &Shared, owner: Hash, id: UploadId) -> Result<Upload, Problem> {
    let node = Arc::clone(&api.node);
    let order = async move { node.attachments().commit(owner, id).await };
    Ok(carried_out(order).await??)
}

/// How an upload stands, as headers.
pub(super) fn standing(status: StatusCode, upload: &Upload) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, upload.offset.into());
    headers.insert(UPLOAD_LENGTH, upload.length.into());
    if let Ok(expires) = HeaderValue::try_from(http_date(upload.expires)) {
        headers.insert(UPLOAD_EXPIRES, expires);
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(axum::http::header::CACHE_CONTROL, no_store);
    response
}

/// RFC 9110 §5.6.7.
fn http_date(at: Timestamp) -> String {
    let since = Duration::from_millis(u64::try_from(at.unix_ms()).unwrap_or(0));
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}
