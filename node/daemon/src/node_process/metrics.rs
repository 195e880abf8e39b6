//! What a process counts, read from its parts when somebody asks: log, links, groups, desk. Labels
//! are groups, lanes, reasons and codes, never a case or a person.

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
use tongban_net::{LaneMetrics, Libp2pTransport};
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

type LaneFigure = fn(&LaneMetrics) -> u64;

/// A sample's labels and its number.
type Sample<const N: usize> = ([(&'static str, String); N], u64);

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
        let dialing = i64::try_from(links.dialing).unwrap_or(i64::MAX);
        self.gauge("tongban_links_dialing", "Own dials under way", dialing)?;
        let handshaking = i64::try_from(links.handshaking).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_links_handshaking",
            "Connections of others in handshake",
            handshaking,
        )?;
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
        self.counter(
            "tongban_links_dead",
            "Connections closed because nothing was heard on them",
            links.connections_dead,
        )?;
        let by_carrier = links.connections_opened_by_carrier.iter();
        self.counters(
            "tongban_links_opened_by_carrier",
            "Connections opened, by what they run on",
            by_carrier.map(|(carrier, count)| ([("carrier", carrier.name().to_owned())], *count)),
        )?;
        let denied = links.denied.iter();
        self.counters(
            "tongban_links_denied",
            "Connections denied, by reason",
            denied.map(|(reason, count)| ([("reason", reason.name().to_owned())], *count)),
        )?;
        let figures: [(&str, &str, LaneFigure); 8] = [
            (
                "tongban_links_sent_bytes",
                "Bytes of requests and answers sent, by lane",
                |lane| lane.bytes_out,
            ),
            (
                "tongban_frames_malformed",
                "Frames not well formed, by lane",
                |lane| lane.malformed,
            ),
            (
                "tongban_requests_busy",
                "Requests not sent because too many were under way, by lane",
                |lane| lane.busy,
            ),
            (
                "tongban_requests_timed_out",
                "Requests whose time ran out, by lane",
                |lane| lane.timed_out,
            ),
            (
                "tongban_requests_refused",
                "Requests refused by peers, by lane",
                |lane| lane.refused,
            ),
            (
                "tongban_requests_expired",
                "Requests of peers dropped because their time had run out, by lane",
                |lane| lane.expired,
            ),
            (
                "tongban_requests_over_quota",
                "Requests of peers refused because they asked for more than their share, by lane",
                |lane| lane.over_quota,
            ),
            (
                "tongban_frames_read",
                "Requests of peers and their answers read, by lane",
                |lane| lane.frames_in,
            ),
        ];
        for (name, help, figure) in figures {
            let lanes = links.lanes.iter();
            let samples =
                lanes.map(|(lane, seen)| ([("lane", lane.name().to_owned())], figure(seen)));
            self.counters(name, help, samples)?;
        }
        Ok(())
    }

    fn node(&mut self, report: &NodeReport) -> fmt::Result {
        let waiting = i64::try_from(report.desk_waiting).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_desk_waiting",
            "Applications stored, not yet replicated",
            waiting,
        )?;
        let refused = i64::try_from(report.desk_refused).unwrap_or(i64::MAX);
        self.gauge(
            "tongban_desk_refused",
            "Applications stored that the group refused when they were tried last",
            refused,
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
            "1 if the log, the store, a group or a task failed",
            failed,
        )?;
        self.counter(
            "tongban_deliveries_relayed",
            "Deliveries of parcels handed on for nodes that do not reach the receiver",
            report.relayed,
        )?;
        let to_peers = report.refused_to_peers.iter();
        let samples = to_peers.map(|((lane, code), count)| {
            let labels = [("lane", lane.name().to_owned()), ("code", code.to_string())];
            (labels, *count)
        });
        let help = "Requests of peers and parcels in them refused, by lane and code";
        self.counters("tongban_peer_requests_refused", help, samples)?;
        self.groups(&report.groups)
    }

    fn groups(&mut self, groups: &[GroupReport]) -> fmt::Result {
        let refused = groups.iter().flat_map(|report| {
            let group = report.group.to_string();
            report.refused.iter().map(move |(code, count)| {
                let labels = [("group", group.clone()), ("code", code.to_string())];
                (labels, *count)
            })
        });
        let help = "Commands and parcels refused when they were applied, by group and code";
        self.counters("tongban_group_refused", help, refused)?;
        let figures: [(&str, &str, GroupFigure); 9] = [
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
                "tongban_group_evidence",
                "Proofs of equivocation kept",
                |g| signed(g.evidence),
            ),
            ("tongban_group_can_lose", "Voters that may be lost", |g| {
                i64::try_from(g.can_lose).unwrap_or(i64::MAX)
            }),
            ("tongban_group_in_touch", "Voters in touch", |g| {
                i64::try_from(g.in_touch).unwrap_or(i64::MAX)
            }),
            (
                "tongban_group_has_quorum",
                "1 if the group can decide, as far as is known here",
                |g| i64::from(g.has_quorum),
            ),
            (
                "tongban_group_stopped",
                "1 if the group has stopped on this node",
                |g| i64::from(g.status.stopped),
            ),
        ];
        for (name, help, figure) in figures {
            self.per_group(name, help, groups, figure)?;
        }
        Ok(())
    }

    fn counters<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = Sample<N>>,
    ) -> fmt::Result {
        let mut encoder = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in samples {
            ConstCounter::new(count).encode(encoder.encode_family(&labels)?)?;
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
