//! One live connection with a peer: streams are opened on it, echoes come back on it, and it ends once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libp2p::Stream;
use libp2p::swarm::ConnectionId;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::carrier::Carrier;
use crate::handler::StreamRequest;
use crate::protocols::StreamKind;

/// Who may wait for one echo; more ask in vain.
const PINGS_MAX: usize = 64;

/// A stream cannot be had now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoStream;

/// One live connection with a peer.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) carrier: Carrier,
    /// Since when, by the monotonic clock.
    since: Instant,
    streams: mpsc::Sender<StreamRequest>,
    /// Frames heard on it, whatever the lane.
    heard: AtomicU64,
    pub(super) gone: watch::Sender<bool>,
    /// The task that sends the peer's keepalives back, of the newest keepalive stream.
    echo: Mutex<Option<AbortHandle>>,
    /// Who waits for the next echo.
    pings: Mutex<Vec<oneshot::Sender<Duration>>>,
    ping_wanted: Notify,
}

impl Connection {
    pub(crate) fn new(
        id: ConnectionId,
        carrier: Carrier,
        streams: mpsc::Sender<StreamRequest>,
    ) -> Self {
        Self {
            id,
            carrier,
            since: Instant::now(),
            streams,
            heard: AtomicU64::new(0),
            gone: watch::Sender::new(false),
            echo: Mutex::default(),
            pings: Mutex::default(),
            ping_wanted: Notify::new(),
        }
    }

    /// Names the task that sends keepalives back, and ends the former one.
    pub(crate) fn set_echo(&self, task: AbortHandle) {
        let mut echo = self.echo.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = echo.replace(task) {
            former.abort();
        }
    }

    /// Opens a stream.
    pub(crate) async fn open(&self, kind: StreamKind) -> Result<Stream, NoStream> {
        let (reply, opened) = oneshot::channel();
        let request = StreamRequest { kind, reply };
        self.streams.send(request).await.map_err(|_| NoStream)?;
        opened.await.map_err(|_| NoStream)
    }

    /// The round trip of an echo sent after this call.
    pub(crate) async fn ping(&self) -> Result<Duration, NoStream> {
        let (sender, echo) = oneshot::channel();
        {
            let mut pings = self.pings.lock().unwrap_or_else(PoisonError::into_inner);
            if pings.len() >= PINGS_MAX {
                return Err(NoStream);
            }
            pings.push(sender);
        }
        self.ping_wanted.notify_one();
        tokio::select! {
            () = self.gone() => Err(NoStream),
            echo = echo => echo.map_err(|_| NoStream),
        }
    }

    /// Returns once an echo is wanted at once.
    pub(crate) async fn ping_wanted(&self) {
        self.ping_wanted.notified().await;
    }

    /// Who waits for the echo that is sent next.
    pub(crate) fn take_pings(&self) -> Vec<oneshot::Sender<Duration>> {
        std::mem::take(&mut *self.pings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For how long it has been open.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Takes note of a frame.
    pub(crate) fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Whether no stream can be had of it any more; `gone` follows.
    pub(crate) fn is_ending(&self) -> bool {
        self.streams.is_closed()
    }

    /// Returns once the connection is closed or counts as dead.
    pub(crate) async fn gone(&self) {
        // An error means that the sender is gone, and `self` holds it.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }
}
