//! What a process counts, read from its parts when somebody asks: log, links, groups, desk, machine.
//! Labels are groups, nodes of the registry, lanes, states, reasons and codes: bounded, and never a case
//! or a person.

mod certificate;
mod groups;
mod links;
mod log;
mod machine;
mod page;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::{Registry, Unit};
use tongban_api::RequestMetrics;
use tongban_assembly::Node;
use tongban_net::Libp2pTransport;

use page::Page;

use crate::platform::{DaemonPlatform, FileDisk};
use crate::tls::Served;

/// The parts of a node that are read.
pub(super) struct Parts {
    pub(super) node: Arc<Node<DaemonPlatform>>,
    pub(super) transport: Arc<Libp2pTransport>,
    pub(super) data: PathBuf,
    /// What the API is served with; `None` without TLS.
    pub(super) served: Option<Arc<Served>>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

/// Everything this process counts, as the text a scraper reads.
pub(super) fn metrics_text(
    requests: &RequestMetrics,
    disk: &FileDisk,
    parts: Parts,
) -> impl Fn() -> String + Send + Sync + 'static {
    let mut registry = Registry::default();
    requests.register(&mut registry);
    registry.register_with_unit(
        "tongban_disk_sync_duration",
        "Time a sync of a file took, the log's above all",
        Unit::Seconds,
        disk.sync_times(),
    );
    registry.register_collector(Box::new(parts));
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
        page.machine(&self.data)?;
        page.log(&self.node.log_metrics(), &self.data)?;
        page.links(&self.transport.metrics())?;
        page.node(&self.node.handle().report())?;
        page.gauges(&self.node.gauges(), &self.data)?;
        page.certificate(self.served.as_deref())
    }
}
