//! Headers that operations read: `Idempotency-Key`, `Prefer`, `If-Match`.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use tongban_runtime::Wait;
use tongban_types::{CaseVersion, Code};

use crate::limits::{IDEMPOTENCY_KEY_BYTES_MAX, VERSION_DIGITS_MAX};
use crate::problem::Problem;
use crate::said::Said;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The version of a case that an act is based on, and where it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The version.
    pub version: CaseVersion,
    /// Said by `If-Match`: a stale one is a failed precondition (RFC 9110 §13.1.1).
    pub by_header: bool,
}

/// The one value of a header; a repeated or unreadable one is refused.
pub(super) fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h str>, Problem> {
    let malformed = |zh: &str, en: &str| {
        Problem::new(StatusCode::BAD_REQUEST, Code::HEADER_MALFORMED).detail(Said::new(
            format!("请求头 {name} {zh}"),
            format!("The header {name} {en}."),
        ))
    };
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed("重复", "stands twice"));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| malformed("含有不可见字符", "has characters that are not visible"))
}

/// The key under which a request is carried out once: 1 to 255 visible ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = single(headers, &IDEMPOTENCY_KEY)?.unwrap_or_default();
    let is_key = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key {
        Ok(key)
    } else {
        let missing = Code::IDEMPOTENCY_KEY_MISSING;
        Err(Problem::new(StatusCode::BAD_REQUEST, missing))
    }
}

/// How safe the asker wants the answer to be (RFC 7240); other preferences are passed over.
pub(super) fn wait(headers: &HeaderMap) -> Wait {
    let asked = headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next()?.split_once('='))
        .any(|(name, value)| {
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("wait") && value.eq_ignore_ascii_case("replicated")
        });
    if asked {
        Wait::Replicated
    } else {
        Wait::Stored
    }
}

/// The version named by `If-Match: "3"`.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<CaseVersion>, Problem> {
    let Some(tag) = single(headers, &header::IF_MATCH)? else {
        return Ok(None);
    };
    let digits = tag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|digits| digits.len() <= VERSION_DIGITS_MAX)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(version) => Ok(Some(CaseVersion(version))),
        // What is no version is the version of no case (RFC 9110 §13.1.1).
        None => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            Code::VERSION_MALFORMED,
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_key_is_one_to_255_visible_characters() {
        let longest = "k".repeat(255);
        for key in ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", &longest] {
            let headers = with(&IDEMPOTENCY_KEY, &[key]);
            assert_eq!(idempotency_key(&headers).unwrap(), key);
        }
        for key in ["", "a b", &"k".repeat(256)] {
            assert!(idempotency_key(&with(&IDEMPOTENCY_KEY, &[key])).is_err());
        }
        assert!(idempotency_key(&HeaderMap::new()).is_err());
        assert!(idempotency_key(&with(&IDEMPOTENCY_KEY, &["a", "a"])).is_err());
    }

    #[test]
    fn the_preference_is_found_among_others() {
        for (values, expected) in [
            (&["wait=replicated"][..], Wait::Replicated),
            (
                &["return=minimal, Wait=\"replicated\"; foo"],
                Wait::Replicated,
            ),
            (&["return=minimal", "wait=replicated"], Wait::Replicated),
            (&["wait=10"], Wait::Stored),
            (&["replicated"], Wait::Stored),
            (&[], Wait::Stored),
        ] {
            assert_eq!(wait(&with(&PREFER, values)), expected, "{values:?}");
        }
    }

    #[test]
    fn a_version_is_a_number_in_quotes() {
        let read = |tag: &str| if_match(&with(&header::IF_MATCH, &[tag]));
        assert_eq!(read("\"3\"").unwrap(), Some(CaseVersion(3)));
        for tag in [
            "3",
            "*",
            "W/\"3\"",
            "\"\"",
            "\"+3\"",
            "\"99999999999\"",
            "\"1\", \"2\"",
        ] {
            assert!(read(tag).is_err(), "{tag}");
        }
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
    }
}
