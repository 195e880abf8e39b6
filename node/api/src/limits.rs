//! Every bound of the API, with its reason.

use std::time::Duration;

/// A request body: a form of 16 KiB doubles when its Chinese is written in escapes, and an act
/// carries a text of 12 KiB beside it.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to arrive: 64 KiB in this time is slower than any line of a hall.
pub(crate) const BODY_TIME_MAX: Duration = Duration::from_secs(15);

/// How long a connection may carry nothing while no handler is at work for it: whether it sends no
/// whole head, is idle, or leaves an answer unread. The idle time common proxies keep connections for
/// is 60 s, so that they notice first.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(75);

/// How long a connection that was told to end may carry nothing before it is cut off: a slow line's
/// round trips, and below what a stopping node waits in all.
pub(crate) const ENDING_SILENCE_MAX: Duration = Duration::from_secs(10);

/// What of an answer is given to a connection at once: half of what it buffers; a line that carries 220
/// bytes a second takes it within `SILENCE_MAX`.
pub(crate) const ANSWER_PIECE_BYTES: usize = 16 * 1024;

/// What one connection buffers: heads are below 8 KiB, bodies go through in pieces.
pub(crate) const CONNECTION_BUFFER_BYTES: usize = 32 * 1024;

/// Header lines of a request. Browsers and proxies send 30.
pub(crate) const HEADERS_MAX: usize = 64;

/// Connections at once: a city's halls have hundreds of windows; each costs at most its buffers,
/// 32 MiB in all. More wait in the system's queue.
pub(crate) const CONNECTIONS_MAX: usize = 1_024;

/// Connections of one address: half of all, and more than the windows of a hall behind one proxy.
pub(crate) const CONNECTIONS_OF_ONE_ADDRESS_MAX: usize = 512;

/// How long a handshake may take: two round trips, and slow lines.
pub(crate) const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// HTTP/2: how often a silent client is asked whether it is there, and how long it may take to say so.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(30);
pub(crate) const PING_TIME_MAX: Duration = Duration::from_secs(15);

/// HTTP/2: requests at once on one connection; browsers ask for a hundred at most.
pub(crate) const HTTP2_STREAMS_MAX: u32 = 100;

/// HTTP/2: what a client may send before it is read; a body has 64 KiB.
pub(crate) const HTTP2_WINDOW_BYTES: u32 = 128 * 1024;

/// HTTP/2: the headers of one request, unpacked. A token, a key and what browsers send have 2 KiB.
pub(crate) const HEADERS_BYTES_MAX: u32 = 16 * 1024;

/// Callers whose schedules are kept apart: more than the staff of a city; 96 bytes each.
pub(crate) const CALLERS_MAX: usize = 8_192;

/// What one token may read, a second: a screen that shows a hundred windows, each looked at twice.
pub(crate) const READS_PER_SECOND: u32 = 200;

/// What one token may order, a second: a machine that hands in for a whole city.
pub(crate) const ORDERS_PER_SECOND: u32 = 200;

/// What nobody is known to ask, a second and address: probes, the description, wrong tokens.
pub(crate) const OPEN_PER_SECOND: u32 = 50;

/// More than a machine answers.
pub(crate) const PER_SECOND_MAX: u32 = 1_000_000;

/// Streams of events at once: a screen in each hall. Each costs a task and what follows.
pub(crate) const STREAMS_MAX: usize = 256;

/// Streams of one token: the pages a hall's screen has open, and those that have not noticed yet that
/// they were closed.
pub(crate) const STREAMS_OF_ONE_MAX: usize = 16;

/// Files on their way in, and on their way out, at once: each holds up to two pieces, 128 MiB in all
/// each way.
pub(crate) const TRANSFERS_MAX: usize = 64;

/// Files of one token on their way, each way: a browser opens six at once.
pub(crate) const TRANSFERS_OF_ONE_MAX: usize = 8;

/// Events of one stream that are not taken yet: 16 KiB.
pub(crate) const EVENTS_BUFFERED: usize = 64;

/// Events read at once for a stream.
pub(crate) const EVENTS_OF_ONE_LOOK: usize = 64;

/// How long a full buffer is waited for: a screen that was covered for a moment.
pub(crate) const SLOW_READER_TIME_MAX: Duration = Duration::from_secs(20);

/// How often a quiet stream says that it is there: below the idle time of common proxies.
pub(crate) const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);

/// How often a stream looks whether its token still opens it.
pub(crate) const TOKEN_LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long requests under way may take to end after the node is told to stop: above the time a
/// group is given to answer.
pub(crate) const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);

/// How long accepting pauses when the system is out of descriptors, so that it does not spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Cases of a page unless asked otherwise: one screen.
pub(crate) const PAGE_DEFAULT: usize = 20;

/// Cases of a page at most: about 100 KiB of JSON.
pub(crate) const PAGE_MAX: usize = 100;

/// Cases looked through for a page of a narrowed list: 20 ms.
pub(crate) const LOOKED_THROUGH_MAX: usize = 4_000;

/// Cases looked through for a count, whichever match, and at once: a second of one core, in pieces.
pub(crate) const COUNTED_MAX: usize = 100_000;
pub(crate) const COUNTED_AT_ONCE: usize = 500;

/// Counts at once, and of one token: the threads they take are those on which the log becomes durable.
pub(crate) const COUNTINGS_MAX: usize = 2;
pub(crate) const COUNTINGS_OF_ONE_MAX: usize = 1;

/// An idempotency key: what clients send are UUIDs of 36; the bound of the draft's examples.
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// What of an upload is gathered before it is handed on: one range of the store.
pub(crate) const UPLOAD_PIECE_BYTES: usize = 1024 * 1024;

/// How long an upload may be silent within one request; what came is kept and may be resumed.
pub(crate) const UPLOAD_SILENCE_MAX: Duration = Duration::from_secs(30);

/// Digits of a version in `If-Match`: no case changes a thousand million times.
pub(crate) const VERSION_DIGITS_MAX: usize = 9;

/// Words of a person, in characters: two A4 pages of Chinese, which is what their bound in bytes
/// means.
pub(crate) const WORDS_CHARS_MAX: usize = 2_048;

/// Seconds a client is told to wait where a quorum or a key is missing: above an election.
pub(crate) const RETRY_AFTER_SECONDS: &str = "2";

/// Places named of a value that is not by its schema: two screens, after which the schema is the wrong one.
pub(crate) const SCHEMA_FAULTS_MAX: usize = 100;
