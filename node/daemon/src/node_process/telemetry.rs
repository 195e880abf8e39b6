//! Logs, on stderr: JSON for collectors or text for people. No personal data is logged anywhere at
//! the levels that can be chosen.

use tracing_subscriber::EnvFilter;

use crate::configuration::LogFormat;

/// Libraries speak up only where an operator can do something about it; that a peer is away is said
/// by the links and the status, not once a heartbeat.
const QUIET_LIBRARIES: &str = "openraft=error,libp2p=warn,libp2p_swarm=warn,yamux=warn,sled=warn";

/// Starts logging for the rest of the process.
pub(crate) fn start_logging(level: &str, format: LogFormat) {
    let filter = EnvFilter::new(format!("{level},{QUIET_LIBRARIES}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Pretty => log.with_target(false).try_init(),
    };
    // Only a second call in one process fails, and then logging goes on as it was.
    drop(started);
}
