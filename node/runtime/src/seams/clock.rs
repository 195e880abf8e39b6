//! Civil time, kept apart from the monotonic instants of the runtime: documents, reports of time
//! and acts carry it, timeouts never do.

use tongban_types::Timestamp;

/// What this machine believes the time to be. It may be wrong, drift, or jump.
pub trait WallClock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01T00:00:00Z by this machine's clock.
    fn now(&self) -> Timestamp;
}
