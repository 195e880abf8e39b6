//! The ids of a span: those the API gave the request, so that the trace in the log, in a problem and in the
//! answer's headers is the one that is collected.

use std::cell::Cell;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tongban_api::RequestTrace;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

thread_local! {
    /// What the span that is begun on this thread is known by.
    static GIVEN: Cell<Option<RequestTrace>> = const { Cell::new(None) };
}

/// Begins the span of a request under the request's ids, as part of the asker's trace if there is one.
/// Says whether it is collected: not where no collector is named, nor where the asker keeps no trace.
pub(crate) fn take_up(span: &Span, trace: &RequestTrace) -> bool {
    let before = match trace.caller {
        Some(caller) => Context::new().with_remote_span_context(SpanContext::new(
            TraceId::from_bytes(trace.id.to_bytes()),
            SpanId::from_bytes(caller.id.to_bytes()),
            TraceFlags::NOT_SAMPLED.with_sampled(caller.is_sampled),
            true,
            TraceState::NONE,
        )),
        None => Context::new(),
    };
    if span.set_parent(before).is_err() {
        return false;
    }
    GIVEN.set(Some(*trace));
    // Whoever asks for it begins it.
    let begun = span.context();
    GIVEN.set(None);
    begun.span().span_context().is_sampled()
}

/// Gives a request's span its ids; any other span some of its own.
#[derive(Debug, Default)]
pub(super) struct GivenIds(RandomIdGenerator);

impl IdGenerator for GivenIds {
    fn new_trace_id(&self) -> TraceId {
        match GIVEN.get() {
            Some(given) => TraceId::from_bytes(given.id.to_bytes()),
            None => self.0.new_trace_id(),
        }
    }

    fn new_span_id(&self) -> SpanId {
        match GIVEN.get() {
            Some(given) => SpanId::from_bytes(given.span.to_bytes()),
            None => self.0.new_span_id(),
        }
    }
}
