//! `GET /api/v1/cases/{number}/attachments/{hash}`: a file of a case, or a range of it, verified as it is
//! read; fetched from another party of the case if it is not here yet.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use tongban_types::{Attachment, BlobHash, CaseNumber, Code};

use crate::authorization::Operation;
use crate::file_body::{Pieces, file_body};
use crate::openapi::{CasePath, CaseProblems, tag};
use crate::places::Place;
use crate::problem::{Answer, Problem};
use crate::request::{Asked, Call};
use crate::state::{ApiState, Shared};

/// 办件的附件 · A file of a case, or a range of it, verified as it is read.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/attachments/{hash}", operation_id = "readAttachment", tag = tag::FILES,
    params(
        CasePath,
        ("hash" = String, Path, description = "BLAKE3", pattern = "^[0-9a-f]{64}$"),
        ("Range" = Option<String>, Header, description = "一段 · A range (RFC 9110 §14)", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "仅当仍是该文件 · Only of the same file"),
        ("If-None-Match" = Option<String>, Header, description = "已有该文件则答 304 · 304 where it is known"),
    ),
    responses(
        (status = 200, description = "文件 · The file", body = String, content_type = "application/octet-stream"),
        (status = 206, description = "一段 · A range of it", body = String, content_type = "application/octet-stream"),
        (status = 304, description = "未变 · It is known"),
        (status = 416, description = "超出文件 · Beyond its end"),
        CaseProblems,
    ),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::ReadForm)?;
    let number: CaseNumber = call.path("number").await?;
    let blob: BlobHash = call.path("hash").await?;
    call.query(&[])?;
    let file = api.node.attachments().attachment(number, blob)?;
    let tag = format!("\"{blob}\"");
    if call
        .header(&header::IF_NONE_MATCH)?
        .is_some_and(|known| is_one_of(known, &tag))
    {
        return Ok(described(
            StatusCode::NOT_MODIFIED.into_response(),
            &file,
            &tag,
        ));
    }
    let is_same = call
        .header(&header::IF_RANGE)?
        .is_none_or(|known| known == tag);
    let asked = call.header(&header::RANGE)?.filter(|_| is_same);
    let (status, range) = match Asked::of(asked, file.size) {
        Asked::Whole => (StatusCode::OK, 0..file.size),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => {
            let size = format!("bytes */{}", file.size);
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            let mut response = described(status.into_response(), &file, &tag);
            set(&mut response, header::CONTENT_RANGE, &size);
            return Ok(response);
        }
    };
    let place = call.places().downloads;
    let place = place.take(call.session.token_hash, Code::NODE_BUSY)?;
    let body = body(&api, number, &file, range.clone(), place).await?;
    let mut response = described((status, body).into_response(), &file, &tag);
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &(range.end - range.start).to_string(),
    );
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
        set(&mut response, header::CONTENT_RANGE, &place);
    }
    Ok(response)
}

/// The first piece is read before anything is answered, so that what is not to be had is told as such.
async fn body(
    api: &Arc<ApiState>,
    number: CaseNumber,
    file: &Attachment,
    range: Range<u64>,
    place: Place,
) -> Result<Body, Problem> {
    let first = piece(api, number, file, &range).await?;
    let rest = range.start + first.len() as u64..range.end;
    let (api, file) = (Arc::clone(api), file.clone());
    let next: Pieces = Box::new(move |rest: Range<u64>| {
        // Held as long as the body is.
        let _ = &place;
        let (api, file) = (Arc::clone(&api), file.clone());
        Box::pin(async move {
            let read = piece(&api, number, &file, &rest).await;
            read.map_err(|_| std::io::Error::other("the file cannot be read further"))
        })
    });
    Ok(file_body(first, rest, next))
}

async fn piece(
    api: &ApiState,
    number: CaseNumber,
    file: &Attachment,
    range: &Range<u64>,
) -> Result<Bytes, Problem> {
    // Up to the next border, so that the store reads whole ranges.
    let border = (range.start / PIECE_BYTES + 1) * PIECE_BYTES;
    let length = border.min(range.end) - range.start;
    let files = api.node.attachments();
    Ok(files
        .read_attachment(number, file, range.start, length)
        .await?)
}

/// Bytes read at once.
const PIECE_BYTES: u64 = tongban_types::limits::BLOB_RANGE_BYTES;

fn is_one_of(known: &str, tag: &str) -> bool {
    known.split(',').any(|one| {
        let one = one.trim();
        one == "*" || one.trim_start_matches("W/") == tag
    })
}

fn described(mut response: Response, file: &Attachment, tag: &str) -> Response {
    set(&mut response, header::CONTENT_TYPE, &file.media_type);
    set(&mut response, header::ETAG, tag);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::CACHE_CONTROL, "private, no-store");
    set(
        &mut response,
        header::CONTENT_DISPOSITION,
        &disposition(&file.name),
    );
    // It is shown by nobody's browser as a page of this node.
    set(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'",
    );
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// RFC 6266: saved, not shown; a plain name for old clients beside the true one (RFC 8187).
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            ' ' | '-' | '_' | '.' | '(' | ')' => c,
            c if c.is_ascii_alphanumeric() => c,
            _ => '_',
        })
        .collect();
    let mut true_name = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            true_name.push(char::from(byte));
        } else {
            let _ = write!(true_name, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{true_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_breaks_out_of_no_header() {
        let said = disposition("执照\"; x=\"1.pdf");
        assert_eq!(
            said,
            "attachment; filename=\"____ x__1.pdf\"; filename*=UTF-8''%E6%89%A7%E7%85%A7%22%3B%20x%3D%221.pdf"
        );
        assert!(HeaderValue::try_from(said).is_ok());
    }

    #[test]
    fn a_tag_is_found_in_a_list_of_tags() {
        assert!(is_one_of("\"a\", W/\"b\"", "\"b\""));
        assert!(is_one_of("*", "\"b\""));
        assert!(!is_one_of("\"a\"", "\"b\""));
    }
}
