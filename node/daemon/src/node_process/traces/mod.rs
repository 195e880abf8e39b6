//! Traces of requests, sent by OTLP over HTTP to a collector on this machine. Its filter is its own: what
//! is collected does not depend on what is logged. A collector that is slow or away costs traces, and
//! nothing else.

mod collector;
mod ids;
mod told;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::runtime::Handle;
use tongban_types::NodeId;
use tracing::Level;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer as _, Registry};

pub(super) use ids::take_up;

use super::telemetry::Beside;
use crate::configuration::Configuration;
use collector::Collector;
use ids::GivenIds;
use told::Told;

/// By which a collector knows the program.
const SERVICE: &str = "tongban";

/// Spans that wait to be sent, about a KiB each: 8 MiB at most, and more than the requests a node was measured
/// to answer in a second. What ends while so many wait is not sent.
const WAITING_SPANS_MAX: usize = 8_192;

/// Spans of one request to the collector, some 100 KiB: far below what collectors take.
const BATCH_SPANS_MAX: usize = 512;

/// How long a span waits for others to go with it.
const GATHERING: Duration = Duration::from_secs(2);

/// How long the end of the process waits until what is left is sent: a batch under way is given up by then.
const END_WAIT: Duration = Duration::from_secs(3);

/// What is sent of this process.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends what is watched from now on, if the configuration names a collector; on tasks of `runtime`.
    pub(crate) fn begin(configuration: &Configuration, runtime: &Handle) -> Option<Self> {
        let collector = configuration.collector?;
        Some(Self::to(collector, configuration.node, runtime))
    }

    fn to(address: SocketAddr, node: NodeId, runtime: &Handle) -> Self {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(address, runtime.clone()))
            .with_endpoint(format!("http://{address}/v1/traces"))
            .with_protocol(Protocol::HttpBinary)
            // What waits behind a batch is worth as much as the batch.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .expect("an address and a path are an endpoint");
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING_SPANS_MAX)
            .with_max_export_batch_size(BATCH_SPANS_MAX)
            .with_scheduled_delay(GATHERING)
            .build();
        let processor = BatchSpanProcessor::builder(Told::by(exporter))
            .with_batch_config(batches)
            .build();
        // Without what the library finds out by itself of the machine and its environment.
        let resource = Resource::builder_empty()
            .with_service_name(SERVICE)
            .with_attributes([
                KeyValue::new("service.instance.id", node.to_string()),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ])
            .build();
        Self(
            SdkTracerProvider::builder()
                .with_span_processor(processor)
                .with_id_generator(GivenIds::default())
                // Whoever sent the trace decides whether it is kept; one that begins here is.
                .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
                .with_resource(resource)
                .build(),
        )
    }

    /// What watches the spans of this program, and of no library, at the level of its usual log.
    pub(crate) fn watching(&self) -> Beside {
        OpenTelemetryLayer::<Registry, _>::new(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // An error's own words stay here.
            .with_error_events_to_status(false)
            // Nothing else here asks which span is at work on a thread.
            .with_context_activation(false)
            .with_filter(Targets::new().with_target("tongban", Level::INFO))
            .boxed()
    }

    /// Sends what is left, for as long as the end of a process may take.
    pub(crate) fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(END_WAIT) {
            tracing::warn!(%error, "the last traces are not sent");
        }
    }
}
