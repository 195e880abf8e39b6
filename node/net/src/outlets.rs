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

/// Connections that may end under a stream being opened before its requests are lost: the halves of two
/// dials that crossed, over both carriers, but for the one that stays.
const CONNECTIONS_TRIED_MAX: usize = 4;

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

    /// A stream on a connection that stays. Of two nodes that dial each other at once, one may choose a
    /// half that the other gives up; nothing was written to it, so the next connection is as good.
    async fn stream(&self) -> Result<(Arc<Connection>, Stream), NoStream> {
        for _ in 0..CONNECTIONS_TRIED_MAX {
            let connection = self.links.connection(self.peer).await?;
            tokio::select! {
                () = connection.gone() => {}
                stream = connection.open(StreamKind::Lane(self.lane)) => match stream {
                    Ok(stream) => return Ok((connection, stream)),
                    Err(NoStream) if connection.is_ending() => connection.gone().await,
                    Err(NoStream) => return Err(NoStream),
                },
            }
        }
        Err(NoStream)
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

#[cfg(test)]
mod tests {
    use libp2p::swarm::ConnectionId;
    use tokio::sync::mpsc;

    use super::*;
    use crate::backoff::Backoff;
    use crate::carrier::Carrier;
    use crate::handler::StreamRequest;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        cap: Duration::from_secs(1),
    };

    fn connect(links: &Links, peer: NodeId, id: usize) -> mpsc::Receiver<StreamRequest> {
        let (streams, requests) = mpsc::channel(1);
        let id = ConnectionId::new_unchecked(id);
        let connection = Arc::new(Connection::new(id, Carrier::Tcp, streams));
        links.on_established(peer, connection, false);
        requests
    }

    #[tokio::test]
    async fn a_connection_that_ends_before_anything_was_written_leaves_its_requests_to_another() {
        let peer = NodeId::new("350100".parse().unwrap(), 2).unwrap();
        let (orders, _orders) = mpsc::unbounded_channel();
        let links = Arc::new(Links::new(orders, BACKOFF));
        let mut stays = connect(&links, peer, 1);
        let mut given_up = connect(&links, peer, 2);
        let pending = Arc::new(Pending::new(1, 100));
        let sender = Sender {
            peer,
            lane: Lane::Submit,
            pending: Arc::clone(&pending),
            links: Arc::clone(&links),
            counters: Arc::default(),
        };
        let soon = tokio::time::Instant::now() + Duration::from_mins(1);
        let mut ticket = pending.add(b"hello".as_slice().into(), soon).unwrap();
        let asked = async {
            let _held = given_up.recv().await.unwrap();
            links.on_gone(peer, ConnectionId::new_unchecked(2));
            stays.recv().await.unwrap()
        };
        tokio::select! {
            () = sender.run() => {}
            outcome = ticket.outcome() => panic!("ended with {outcome:?}"),
            request = asked => assert_eq!(request.kind, StreamKind::Lane(Lane::Submit)),
        }
    }
}
