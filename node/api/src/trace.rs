//! What a request is known by in its answer and in the log: the trace id of `traceparent` (W3C Trace
//! Context) where the asker sends one, else one of our own. It says nothing of the request.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Carries the trace on (W3C Trace Context).
pub(crate) const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Carries the id in every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: TraceId;
}

/// 128 bits, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceId(u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl TraceId {
    /// The id of the request that is being answered.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Answers a request under this id.
    pub(crate) async fn over<T>(self, answering: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answering).await
    }

    /// As a header shows it.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("hexadecimal digits")
    }

    /// As a trace goes on from here; this node samples none by itself.
    pub(crate) fn parent(self, span: u64) -> HeaderValue {
        let text = format!("00-{self}-{span:016x}-00");
        HeaderValue::try_from(text).expect("hexadecimal digits")
    }

    /// The id in `traceparent: 00-<32 digits>-<16 digits>-<2 digits>`; later versions begin alike.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let sent = headers.get(TRACE_PARENT)?.to_str().ok()?;
        let mut parts = sent.split('-');
        let (version, id, parent, _flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length| {
            let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            text.len() == length && text.bytes().all(digit)
        };
        if !is_hex(version, 2) || version == "ff" || !is_hex(id, 32) || !is_hex(parent, 16) {
            return None;
        }
        let id = u128::from_str_radix(id, 16).ok()?;
        (id != 0).then_some(Self(id))
    }
}

/// Gives ids out. They need to differ, not to be secret: a keyed hash of a count is enough.
#[derive(Debug, Default)]
pub(crate) struct TraceIds {
    key: RandomState,
    given: AtomicU64,
}

impl TraceIds {
    /// The id the asker sent, or the next one.
    pub(crate) fn id_of(&self, headers: &HeaderMap) -> TraceId {
        TraceId::of(headers).unwrap_or_else(|| self.next())
    }

    /// A span of an answer, not zero.
    pub(crate) fn span(&self) -> u64 {
        self.key
            .hash_one(self.given.fetch_add(1, Ordering::Relaxed))
            | 1
    }

    fn next(&self) -> TraceId {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        let half = |part: u8| u128::from(self.key.hash_one((count, part)));
        TraceId((half(0) << 64 | half(1)) | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_str(value).unwrap());
        TraceId::of(&headers).map(|id| id.to_string())
    }

    #[test]
    fn a_trace_is_taken_up_where_it_is_well_formed() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            sent(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(),
            Some(id)
        );
        for malformed in [
            "",
            id,
            &format!("00-{id}-00f067aa0ba902b7"),
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
        ] {
            assert_eq!(sent(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn ids_of_our_own_differ() {
        let ids = TraceIds::default();
        let none = HeaderMap::new();
        assert_ne!(ids.id_of(&none), ids.id_of(&none));
    }
}
