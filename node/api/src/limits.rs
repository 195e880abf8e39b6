//! Every bound of the API, with its reason.

use std::time::Duration;

/// A request body: a form of 16 KiB doubles when its Chinese is written in escapes, and an act
/// carries a text of 12 KiB beside it.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to arrive: 64 KiB in this time is slower than any line of a hall.
pub(crate) const BODY_TIME_MAX: Duration = Duration::from_secs(15);

/// How long a connection may take to send its next request's head, or stay idle: the idle time
/// common proxies keep connections for is 60 s or more, so that they notice first.
pub(crate) const HEAD_TIME_MAX: Duration = Duration::from_secs(75);

/// What one connection buffers: heads are below 8 KiB, bodies go through in pieces.
pub(crate) const CONNECTION_BUFFER_BYTES: usize = 32 * 1024;

/// Header lines of a request. Browsers and proxies send 30.
pub(crate) const HEADERS_MAX: usize = 64;

/// Connections at once: a city's halls have hundreds of windows; each costs at most its buffers,
/// 128 MiB in all. More wait in the system's queue.
pub(crate) const CONNECTIONS_MAX: usize = 1_024;

/// How long requests under way may take to end after the node is told to stop: above the time a
/// group is given to answer.
pub(crate) const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);

/// How long accepting pauses when the system is out of descriptors, so that it does not spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Cases of a page unless asked otherwise: one screen.
pub(crate) const PAGE_DEFAULT: usize = 20;

/// Cases of a page at most: about 100 KiB of JSON.
pub(crate) const PAGE_MAX: usize = 100;

/// An idempotency key: what clients send are UUIDs of 36; the bound of the draft's examples.
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// What of an upload is gathered before it is handed on: one range of the store.
pub(crate) const UPLOAD_PIECE_BYTES: usize = 1024 * 1024;

/// How long an upload may be silent within one request; what came is kept and may be resumed.
pub(crate) const UPLOAD_SILENCE_MAX: Duration = Duration::from_secs(30);

/// Seconds a client is told to wait where a quorum or a key is missing: above an election.
pub(crate) const RETRY_AFTER_SECONDS: &str = "2";
