//! What of a span is told to a collector: what a list names, and nothing that somebody adds to a span or to
//! an event in it later. The list has what an operator's log shows anyway, and nothing of a person.

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry_otlp::SpanExporter as Exporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Names of what is told: of the span of a request, and of an event in it.
const TOLD: [&str; 8] = [
    "trace", "method", "case", "level", "route", "status", "took_us", "code",
];

/// Tells a collector of spans.
#[derive(Debug)]
pub(super) struct Told {
    exporter: Exporter,
}

impl Told {
    pub(super) const fn by(exporter: Exporter) -> Self {
        Self { exporter }
    }
}

impl SpanExporter for Told {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            shorten(span);
        }
        self.exporter.export(batch).await
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn shorten(span: &mut SpanData) {
    span.attributes.retain(is_told);
    for event in &mut span.events.events {
        event.attributes.retain(is_told);
    }
    // What begins in this process is the answer to a request, which views of who calls whom look for.
    if span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote {
        span.span_kind = SpanKind::Server;
    }
}

fn is_told(attribute: &KeyValue) -> bool {
    TOLD.contains(&attribute.key.as_str())
}
