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

/// Starts logging for the rest of the process.
pub(crate) fn start_logging(level: &str, format: LogFormat, beside: Option<Beside>) -> Log {
    let repeats = Arc::new(Repeats::default());
    let bound = WithoutRepeats(repeats.clone());
    let level = match beside {
        None => log_alone(level, format, bound),
        Some(beside) => log_beside(beside, level, format, bound),
    };
    Log { level, repeats }
}

/// Not the other way with nobody beside: an absent layer makes tracing-subscriber ask each time what filters
/// of layers never let through, and openraft asks (`enabled!`) without saying anything then. The answer stays in
/// the thread and takes the span of its next request out of the log.
fn log_alone(level: &str, format: LogFormat, bound: WithoutRepeats) -> LogLevel {
    let (filter, handle) = reload::Layer::new(filter(level));
    let log = tracing_subscriber::registry().with(filter).with(bound);
    let written = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A second call in one process changes nothing: logging goes on as it was.
    drop(match format {
        LogFormat::Json => log.with(written.json().flatten_event(true)).try_init(),
        LogFormat::Pretty => log.with(written.with_target(false)).try_init(),
    });
    LogLevel(Box::new(move |filter| drop(handle.reload(filter))))
}

/// The level and the bound are the log's alone: what is not written may still be watched.
fn log_beside(beside: Beside, level: &str, format: LogFormat, bound: WithoutRepeats) -> LogLevel {
    let (filter, handle) = reload::Layer::new(filter(level));
    let watched = tracing_subscriber::registry().with(beside);
    let written = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    drop(match format {
        LogFormat::Json => {
            let written = written.json().flatten_event(true);
            let bounded = written.with_filter(bound).with_filter(filter);
            watched.with(bounded).try_init()
        }
        LogFormat::Pretty => {
            let written = written.with_target(false);
            let bounded = written.with_filter(bound).with_filter(filter);
            watched.with(bounded).try_init()
        }
    });
    LogLevel(Box::new(move |filter| drop(handle.reload(filter))))
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("{level},{QUIET_LIBRARIES}"))
}
