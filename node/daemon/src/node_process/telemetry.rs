//! Logs, on stderr: JSON for collectors or text for people. No personal data is logged anywhere at
//! the levels that can be chosen.

use tracing_subscriber::EnvFilter;

use crate::configuration::LogFormat;

/// Libraries speak up only where an operator can do something about it; that a peer is away is said
/// by the links and the status, not once a heartbeat.
const QUIET_LIBRARIES: &str = "openraft=error,libp2p=warn,libp2p_swarm=warn,yamux=warn,sled=warn";

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

/// Starts logging for the rest of the process.
pub(crate) fn start_logging(level: &str, format: LogFormat) -> LogLevel {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(std::io::stderr);
    // A second call in one process changes nothing: logging goes on as it was.
    match format {
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            drop(log.try_init());
            LogLevel(Box::new(move |filter| drop(handle.reload(filter))))
        }
        LogFormat::Pretty => {
            let log = log.with_target(false).with_filter_reloading();
            let handle = log.reload_handle();
            drop(log.try_init());
            LogLevel(Box::new(move |filter| drop(handle.reload(filter))))
        }
    }
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("{level},{QUIET_LIBRARIES}"))
}
