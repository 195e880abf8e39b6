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

/// A trace: 128 bits, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(u128);

/// One piece of work in a trace: 64 bits, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(u64);

/// The work of the asker that a request is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallingSpan {
    /// Its id.
    pub id: SpanId,
    /// Whether the asker keeps it, so that what is done for it is worth keeping too.
    pub is_sampled: bool,
}

/// What one request is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTrace {
    /// The trace, as the log and every problem name it.
    pub id: TraceId,
    /// The answer to the request in it, as the answer's `traceparent` names it.
    pub span: SpanId,
    /// What it goes on from; `None` where the trace begins here.
    pub caller: Option<CallingSpan>,
}

/// Takes the span of a request up for whoever collects traces, under the ids it is given; says whether it
/// is collected. Asked once for each span, before the work in it begins.
pub type TakeUpTrace = dyn Fn(&tracing::Span, &RequestTrace) -> bool + Send + Sync;

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl TraceId {
    /// `None` for zero, which names no trace.
    pub fn new(number: u128) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// Its bytes, the most significant first, as traces carry them.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

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
}

impl SpanId {
    /// `None` for zero, which names no work.
    pub fn new(number: u64) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// Its bytes, the most significant first, as traces carry them.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl RequestTrace {
    /// As the trace goes on from here, with whether the answer to the request is collected.
    pub(crate) fn parent(&self, is_sampled: bool) -> HeaderValue {
        let flags = u8::from(is_sampled);
        let text = format!("00-{}-{}-{flags:02x}", self.id, self.span);
        HeaderValue::try_from(text).expect("hexadecimal digits")
    }
}

/// What stands in `traceparent: 00-<32 digits>-<16 digits>-<2 digits>`; later versions begin alike.
fn sent(headers: &HeaderMap) -> Option<(TraceId, Option<CallingSpan>)> {
    let sent = headers.get(TRACE_PARENT)?.to_str().ok()?;
    let mut parts = sent.split('-');
    let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(digit)
    };
    if !is_hex(version, 2) || version == "ff" || !is_hex(id, 32) || !is_hex(parent, 16) {
        return None;
    }
    let id = TraceId::new(u128::from_str_radix(id, 16).ok()?)?;
    let span = SpanId::new(u64::from_str_radix(parent, 16).ok()?);
    // The last bit says that it is kept; the others are not ours to understand.
    let is_sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    Some((id, span.map(|id| CallingSpan { id, is_sampled })))
}

/// Gives ids out. They need to differ, not to be secret: a keyed hash of a count is enough.
#[derive(Debug, Default)]
pub(crate) struct TraceIds {
    key: RandomState,
    given: AtomicU64,
}

impl TraceIds {
    /// The trace the asker sent, or the next one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestTrace {
        let (id, caller) = sent(headers).unwrap_or_else(|| (self.trace(), None));
        let span = self.span();
        RequestTrace { id, span, caller }
    }

    fn span(&self) -> SpanId {
        SpanId(
            self.key
                .hash_one(self.given.fetch_add(1, Ordering::Relaxed))
                | 1,
        )
    }

    fn trace(&self) -> TraceId {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        let half = |part: u8| u128::from(self.key.hash_one((count, part)));
        TraceId((half(0) << 64 | half(1)) | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn read(value: &str) -> Option<(TraceId, Option<CallingSpan>)> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_str(value).unwrap());
        sent(&headers)
    }

    #[test]
    fn a_trace_is_taken_up_where_it_is_well_formed() {
        let (id, _) = read(&format!("00-{ID}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!(id.to_string(), ID);
        for malformed in [
            "",
            ID,
            &format!("00-{ID}-00f067aa0ba902b7"),
            &format!("ff-{ID}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
        ] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn the_asker_says_what_a_trace_goes_on_from_and_whether_it_is_kept() {
        let caller = |span: &str, flags: &str| {
            let (_, caller) = read(&format!("00-{ID}-{span}-{flags}")).unwrap();
            caller.map(|caller| (caller.id.to_string(), caller.is_sampled))
        };
        let span = "00f067aa0ba902b7";
        for (flags, is_sampled) in [("01", true), ("03", true), ("00", false), ("zz", false)] {
            assert_eq!(caller(span, flags), Some((span.to_owned(), is_sampled)));
        }
        assert_eq!(caller("0000000000000000", "01"), None);
    }

    #[test]
    fn ids_of_our_own_differ() {
        let ids = TraceIds::default();
        let none = HeaderMap::new();
        let (first, second) = (ids.of(&none), ids.of(&none));
        assert_ne!(first.id, second.id);
        assert_ne!(first.span, second.span);
        assert_eq!(first.caller, None);
    }
}
