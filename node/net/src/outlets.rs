//! Our requests to peers: one stream a (peer, lane), opened when a request wants it, on which
//! requests are written in order and answers come back in any.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite};
use libp2p::Stream;
use tongban_runtime::seams::Lane;
use tongban_types::{Code, NodeId};

use crate::config::Tuning;
use crate::frame::{AnswerHead, MalformedFrame, RequestHead, length_of};
use crate::links::{Connection, Links, NoStream};
use crate::metrics::{Counters, LaneCounters};
use crate::pending::{Outcome, Pending};
use crate::protocols::StreamKind;
use crate::reader::{FrameReader, ReadError};
use crate::tasks::Tasks;
use crate::writer::FrameWriter;

/// The outlets to all peers.
#[derive(Debug)]
pub(crate) struct Outlets {
    by_lane: RwLock<HashMap<(NodeId, Lane), Outlet>>,
    links: Arc<Links>,
    counters: Arc<Counters>,
    tasks: Arc<Tasks>,
    tuning: Tuning,
}

#[derive(Debug)]
struct Outlet {
    pending: Arc<Pending>,
    task: tokio::task::AbortHandle,
}

impl Outlets {
    pub(crate) fn new(
        links: Arc<Links>,
        counters: Arc<Counters>,
        tasks: Arc<Tasks>,
        tuning: Tuning,
    ) -> Self {
        Self {
            by_lane: RwLock::default(),
            links,
            counters,
            tasks,
            tuning,
        }
    }

    /// The waiting requests of one (peer, lane); `None` after shutdown.
    pub(crate) fn pending(&self, peer: NodeId, lane: Lane) -> Option<Arc<Pending>> {
        let outlets = self.by_lane.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(outlet) = outlets.get(&(peer, lane)) {
            return Some(Arc::clone(&outlet.pending));
        }
        drop(outlets);
        self.open(peer, lane)
    }

    /// Forgets peers that are no longer enrolled; what waits for them is lost.
    pub(crate) fn retain(&self, is_enrolled: impl Fn(NodeId) -> bool) {
        let mut outlets = self.by_lane.write().unwrap_or_else(PoisonError::into_inner);
        outlets.retain(|(peer, _), outlet| {
            let keep = is_enrolled(*peer);
            if !keep {
                outlet.task.abort();
                outlet.pending.lose_all();
            }
            keep
        });
    }

    /// Requests to a peer that wait or are under way, on all lanes.
    pub(crate) fn queue(&self, peer: NodeId) -> usize {
        let outlets = self.by_lane.read().unwrap_or_else(PoisonError::into_inner);
        let lanes = Lane::ALL.into_iter();
        lanes
            .filter_map(|lane| outlets.get(&(peer, lane)))
            .map(|outlet| outlet.pending.count())
            .sum()
    }

    fn open(&self, peer: NodeId, lane: Lane) -> Option<Arc<Pending>> {
        let mut outlets = self.by_lane.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(outlet) = outlets.get(&(peer, lane)) {
            return Some(Arc::clone(&outlet.pending));
        }
        let tuning = &self.tuning;
        let pending = Arc::new(Pending::new(tuning.requests_max, tuning.request_bytes_max));
        let sender = Sender {
            peer,
            lane,
            pending: Arc::clone(&pending),
            links: Arc::clone(&self.links),
            counters: Arc::clone(&self.counters),
        };
        let task = self.tasks.spawn(sender.run())?;
        let outlet = Outlet {
            pending: Arc::clone(&pending),
            task,
        };
        outlets.insert((peer, lane), outlet);
        Some(pending)
    }
}

/// The task of one outlet.
struct Sender {
    peer: NodeId,
    lane: Lane,
    pending: Arc<Pending>,
    links: Arc<Links>,
    counters: Arc<Counters>,
}

impl Sender {
    async fn run(self) {
        loop {
            self.pending.wait_unwritten().await;
            if let Ok((connection, stream)) = self.stream().await {
                self.use_stream(&connection, stream).await;
            }
            self.pending.lose_all();
        }
    }

    async fn stream(&self) -> Result<(Arc<Connection>, Stream), NoStream> {
        let connection = self.links.connection(self.peer).await?;
        let stream = tokio::select! {
            () = connection.gone() => return Err(NoStream),
            stream = connection.open(StreamKind::Lane(self.lane)) => stream?,
        };
        Ok((connection, stream))
    }

    /// Writes requests and reads answers until the stream ends.
    async fn use_stream(&self, connection: &Connection, stream: Stream) {
        let (source, sink) = stream.split();
        let counters = self.counters.lane(self.lane);
        let ended = tokio::select! {
            () = connection.gone() => Ok(()),
            ended = self.write(sink, counters) => ended.map_err(ReadError::from),
            ended = self.read(source, connection, counters) => ended,
        };
        match ended {
            Err(ReadError::Malformed(malformed)) => {
                counters.malformed.one();
                let code = MalformedFrame::CODE;
                tracing::warn!(peer = %self.peer, lane = ?self.lane, %code, %malformed, "closing a stream");
            }
            Ok(()) | Err(ReadError::Io(_)) => {
                tracing::debug!(peer = %self.peer, lane = ?self.lane, "a stream ended");
            }
        }
    }

    async fn write(
        &self,
        sink: impl AsyncWrite + Unpin,
        counters: &LaneCounters,
    ) -> io::Result<()> {
        let mut frames = FrameWriter::new(sink);
        loop {
            self.pending.wait_unwritten().await;
            while let Some(request) = self.pending.next_unwritten() {
                let head = RequestHead {
                    id: request.id,
                    ttl_ms: ttl_ms(request.ttl),
                    length: length_of(&request.body),
                };
                counters.frame_out(request.body.len());
                frames.push(head, &request.body).await?;
            }
            frames.flush().await?;
        }
    }

    async fn read(
        &self,
        source: impl AsyncRead + Unpin,
        connection: &Connection,
        counters: &LaneCounters,
    ) -> Result<(), ReadError> {
        let mut frames = FrameReader::<_, AnswerHead>::new(source);
        while let Some((head, body)) = frames.next().await? {
            connection.hear();
            counters.frame_in(body.len());
            let outcome = match head.status {
                0 => Outcome::Answered(body),
                // A newer peer may know codes that this version does not.
                number => {
                    Outcome::Refused(Code::from_number(number).unwrap_or(Code::UNKNOWN_REFUSAL))
                }
            };
            self.pending.settle(head.id, outcome)?;
        }
        Ok(())
    }
}

/// Rounded up, so that a request with time left never says it has none.
fn ttl_ms(ttl: Duration) -> u32 {
    u32::try_from(ttl.as_micros().div_ceil(1000)).unwrap_or(u32::MAX)
}
