//! Where a list goes on. Clients hand a cursor back as they got it; that it is a case number is nobody's
//! business.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use tongban_types::CaseNumber;

use super::bad;
use crate::problem::Problem;
use crate::said::Said;

/// The cursor of the page that begins with a case.
pub(crate) fn cursor_of(number: CaseNumber) -> String {
    BASE64URL_NOPAD.encode(number.to_string().as_bytes())
}

/// The case a cursor leads to.
pub(crate) fn position(cursor: &str) -> Result<CaseNumber, Problem> {
    BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok())
        .ok_or_else(|| {
            let says = Said::new("不是本接口给出的游标", "is no cursor that this API gave");
            bad("cursor", says)
        })
}

/// The answer with a link to the next page (RFC 8288), if there is one.
pub(crate) fn linked_to_next(
    mut response: Response,
    path: &str,
    query: &str,
    limit: usize,
    next: Option<&str>,
) -> Response {
    let link =
        next.map(|next| format!("<{path}?{query}limit={limit}&cursor={next}>; rel=\"next\""));
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
