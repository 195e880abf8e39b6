//! Logs, on stderr: JSON for collectors or text for people. No personal data is logged anywhere at
//! the levels that can be chosen.

use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use super::repeats::{Repeats, WithoutRepeats};
use crate::configuration::LogFormat;

/// Libraries speak up only where an operator can do something about it; that a peer is away is said
/// by the links and the status, not once a heartbeat.
const QUIET_LIBRARIES: &str = "openraft=error,libp2p=warn,libp2p_swarm=warn,yamux=warn,sled=warn";

/// What watches the process beside the log, with a filter of its own.
pub(crate) type Beside = Box<dyn Layer<Registry> + Send + Sync>;

/// The level of the log, changed while it is written.
pub(crate) struct LogLevel(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl std::fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogLevel")
    }
}

impl LogLevel {
    /// From now on.
    pub(crate) fn set(&self, level: &str) {
        (self.0)(filter(level));
    }
}

/// The log of a process.
#[derive(Debug)]
pub(crate) struct Log {
    /// Its level.
    pub(crate) level: LogLevel,
    /// What is said too often.
    pub(crate) repeats: Arc<Repeats>,
}

/// Starts logging for the rest of the process. The level and the bound on repeats are the log's alone: what
/// is not written may still be watched.
pub(crate) fn start_logging(level: &str, format: LogFormat, beside: Option<Beside>) -> Log {
    let repeats = Arc::new(Repeats::default());
    let (filter, handle) = reload::Layer::new(filter(level));
    let written = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let written = match format {
        LogFormat::Json => written.json().flatten_event(true).boxed(),
        LogFormat::Pretty => written.with_target(false).boxed(),
    };
    let bounded = written.with_filter(WithoutRepeats(repeats.clone()));
    let log = tracing_subscriber::registry()
        .with(beside)
        .with(bounded.with_filter(filter));
    // A second call in one process changes nothing: logging goes on as it was.
    drop(log.try_init());
    Log {
        level: LogLevel(Box::new(move |filter| drop(handle.reload(filter)))),
        repeats,
    }
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("{level},{QUIET_LIBRARIES}"))
}
