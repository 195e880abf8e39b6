//! What a process counts, read from its parts when somebody asks: log, links, groups, desk. Labels
//! are groups and lanes, never a case or a person.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tongban_api::RequestMetrics;
use tongban_assembly::Node;
use tongban_net::Libp2pTransport;
use tongban_runtime::{GroupReport, NodeReport};

use crate::platform::DaemonPlatform;

/// Reads the parts of a node.
struct Parts {
    node: Arc<Node<DaemonPlatform>>,
    transport: Arc<Libp2pTransport>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

/// Everything this process counts, as the text a scraper reads.
pub(crate) fn metrics_text(
    requests: &RequestMetrics,
    node: Arc<Node<DaemonPlatform>>,
    transport: Arc<Libp2pTransport>,
) -> impl Fn() -> String + Send + Sync + 'static {
    let mut registry = Registry::default();
    requests.register(&mut registry);
    registry.register_collector(Box::new(Parts { node, transport }));
    move || {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &registry) {
            Ok(()) => text,
            Err(fmt::Error) => String::new(),
        }
    }
}

impl Collector for Parts {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page { encoder };
        page.build()?;
        page.log(&self.node.log_metrics())?;
        page.links(&self.transport.metrics())?;
        page.node(&self.node.handle().report())
    }
}

struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

type GroupFigure = fn(&GroupReport) -> i64;

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstCounter::new(value);
        let encoder = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode(encoder)
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        let encoder = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode(encoder)
    }

    fn build(&mut self) -> fmt::Result {
        let name = "tongban_build_info";
        let help = "Always 1; the version is its label";
        let mut encoder = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        ConstGauge::new(1_i64).encode(encoder.encode_family(&labels)?)
    }

    fn log(&mut self, log: &tongban_wal::WalMetrics) -> fmt::Result {
        self.counter("tongban_log_syncs", "Syncs of log segments", log.syncs)?;
        self.counter(
            "tongban_log_batches",
            "Batches written to the log",
            log.batches,
        )?;
        self.counter(
            "tongban_log_records",
            "Records written to the log",
            log.records,
        )?;
        self.counter(
            "tongban_log_written_bytes",
            "Bytes written to the log",
            log.bytes,
        )?;
        self.counter(
            "tongban_log_segments_begun",
            "Segments begun",
            log.segments_begun,
        )?;
        self.counter(
            "tongban_log_segments_removed",
            "Segments removed",
            log.segments_removed,
        )
    }

    fn links(&mut self, links: &tongban_net::NetMetrics) -> fmt::Result {
        let open = i64::try_from(links.connections).unwrap_or(i64::MAX);
        self.gauge("tongban_links", "Open connections to other nodes", open)?;
        self.counter(
            "tongban_links_opened",
            "Connections opened",
            links.connections_opened,
        )?;
        self.counter(
            "tongban_dials_failed",
            "Dials that failed",
            links.dials_failed,
        )?;
        self.counter(
            "tongban_handshakes_failed",
            "Handshakes that failed",
            links.handshakes_failed,
        )?;
        let denied = links.denied.values().sum();
        self.counter("tongban_links_denied", "Connections denied", denied)?;
        let out = links.lanes.values().map(|lane| lane.bytes_out).sum();
        self.counter(
            "tongban_links_sent_bytes",
            "Bytes of requests and answers sent",
            out,
        )?;
        let malformed = links.lanes.values().map(|lane| lane.malformed).sum();
        self.counter(
            "tongban_frames_malformed",
            "Frames not well formed",
            malformed,
        )
    }

    fn node(&mut self, report: &NodeReport) -> fmt::Result {
        let waiting = i64::try_from(report.desk_waiting).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_desk_waiting",
            "Applications stored, not yet replicated",
            waiting,
        )?;
        let version = i64::try_from(report.registry).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_registry_version",
            "Version of the registry in force",
            version,
        )?;
        let failed = i64::from(report.failed);
        self.gauge(
            "tongban_node_failed",
            "1 if the log or the store failed",
            failed,
        )?;
        let figures: [(&str, &str, GroupFigure); 7] = [
            ("tongban_group_term", "Raft term", |g| signed(g.status.term)),
            ("tongban_group_applied_index", "Last applied", |g| {
                signed(g.status.applied_index)
            }),
            ("tongban_group_cases", "Cases", |g| signed(g.cases)),
            (
                "tongban_group_unanswered",
                "Packets not answered yet",
                |g| i64::try_from(g.unanswered).unwrap_or(i64::MAX),
            ),
            (
                "tongban_group_refused",
                "Commands and parcels refused",
                |g| signed(g.refused),
            ),
            (
                "tongban_group_evidence",
                "Proofs of equivocation kept",
                |g| signed(g.evidence),
            ),
            ("tongban_group_can_lose", "Voters that may be lost", |g| {
                i64::try_from(g.can_lose).unwrap_or(i64::MAX)
            }),
        ];
        for (name, help, figure) in figures {
            self.per_group(name, help, &report.groups, figure)?;
        }
        Ok(())
    }

    fn per_group(
        &mut self,
        name: &str,
        help: &str,
        groups: &[GroupReport],
        figure: GroupFigure,
    ) -> fmt::Result {
        let mut encoder = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for report in groups {
            let labels = [("group", report.group.to_string())];
            ConstGauge::new(figure(report)).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
