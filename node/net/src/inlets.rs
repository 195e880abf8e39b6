//! Streams that peers opened: their requests are started in the order they came, answered in the
//! order they finish, and not read faster than they are answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite};
use libp2p::Stream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tongban_runtime::seams::{Lane, Service};
use tongban_types::limits::FRAME_BYTES_MAX;
use tongban_types::{Code, NodeId};

use crate::allowance::{Allowance, Held};
use crate::config::Tuning;
use crate::frame::{AnswerHead, MalformedFrame, RequestHead, length_of};
use crate::handler::InboundStream;
use crate::keepalive;
use crate::links::Connection;
use crate::metrics::{Counters, LaneCounters};
use crate::protocols::StreamKind;
use crate::quota::Quota;
use crate::reader::{FrameReader, ReadError};
use crate::tasks::Tasks;
use crate::writer::FrameWriter;

type SharedService = Arc<dyn Service>;

/// All streams that peers opened.
pub(crate) struct Inlets {
    service: watch::Sender<Option<SharedService>>,
    /// The task of the newest stream of each lane; an older one is ended, as its peer left it.
    newest: Mutex<HashMap<(NodeId, Lane), AbortHandle>>,
    /// What the requests of each lane may take up: calls of an older stream keep what they hold.
    allowances: Mutex<HashMap<(NodeId, Lane), Arc<Allowance>>>,
    /// What each peer may ask for on all lanes together.
    quotas: Mutex<HashMap<NodeId, Arc<Quota>>>,
    tasks: Arc<Tasks>,
    counters: Arc<Counters>,
    tuning: Tuning,
}

impl std::fmt::Debug for Inlets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inlets").finish_non_exhaustive()
    }
}

impl Inlets {
    pub(crate) fn new(tasks: Arc<Tasks>, counters: Arc<Counters>, tuning: Tuning) -> Self {
        Self {
            service: watch::Sender::new(None),
            newest: Mutex::default(),
            allowances: Mutex::default(),
            quotas: Mutex::default(),
            tasks,
            counters,
            tuning,
        }
    }

    /// Names who answers. Streams that came before wait for it, unread.
    pub(crate) fn serve(&self, service: SharedService) {
        self.service.send_replace(Some(service));
    }

    /// Takes over a stream a peer opened.
    pub(crate) fn accept(
        self: &Arc<Self>,
        peer: NodeId,
        connection: Arc<Connection>,
        inbound: InboundStream,
    ) {
        match inbound.kind {
            StreamKind::Keepalive => {
                let echo = keepalive::answer(Arc::clone(&connection), inbound.stream);
                if let Some(task) = self.tasks.spawn(echo) {
                    connection.set_echo(task);
                }
            }
            StreamKind::Lane(lane) => self.accept_lane(peer, lane, connection, inbound.stream),
        }
    }

    fn accept_lane(
        self: &Arc<Self>,
        peer: NodeId,
        lane: Lane,
        connection: Arc<Connection>,
        stream: Stream,
    ) {
        let inlet = Inlet {
            peer,
            lane,
            connection,
            allowance: self.allowance(peer, lane),
            quota: self.quota(peer),
            inlets: Arc::clone(self),
        };
        let Some(task) = self.tasks.spawn(inlet.run(stream)) else {
            return;
        };
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(older) = newest.insert((peer, lane), task) {
            older.abort();
        }
    }

    fn allowance(&self, peer: NodeId, lane: Lane) -> Arc<Allowance> {
        let mut allowances = self
            .allowances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let held = allowances
            .entry((peer, lane))
            .or_insert_with(|| Arc::new(Allowance::new(&self.tuning)));
        Arc::clone(held)
    }

    fn quota(&self, peer: NodeId) -> Arc<Quota> {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = quotas.entry(peer);
        Arc::clone(quota.or_insert_with(|| Arc::new(Quota::new(&self.tuning))))
    }

    /// Requests of a peer refused since the start because it asked for more than its share.
    pub(crate) fn over_quota(&self, peer: NodeId) -> u64 {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.get(&peer).map_or(0, |quota| quota.refused())
    }

    /// Forgets peers that are no longer enrolled.
    pub(crate) fn retain(&self, is_enrolled: impl Fn(NodeId) -> bool) {
        let mut allowances = self
            .allowances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        allowances.retain(|(peer, _), _| is_enrolled(*peer));
        drop(allowances);
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.retain(|peer, _| is_enrolled(*peer));
        drop(quotas);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.retain(|(peer, _), task| {
            let keep = is_enrolled(*peer);
            if !keep {
                task.abort();
            }
            keep
        });
    }
}

/// One stream of requests.
struct Inlet {
    peer: NodeId,
    lane: Lane,
    connection: Arc<Connection>,
    allowance: Arc<Allowance>,
    quota: Arc<Quota>,
    inlets: Arc<Inlets>,
}

/// An answer on its way out; what it holds is given back when it is written or dropped.
struct Answer {
    id: u64,
    result: Result<Bytes, Code>,
    _held: Held,
}

impl Inlet {
    async fn run(self, stream: Stream) {
        let mut service = self.inlets.service.subscribe();
        let Ok(service) = service.wait_for(Option::is_some).await.map(|it| it.clone()) else {
            return;
        };
        let service = service.expect("waited for it to be there");
        let (source, sink) = stream.split();
        // Unbounded, yet each answer in it holds a part of the allowance.
        let (answers, finished) = mpsc::unbounded_channel();
        tokio::select! {
            () = self.connection.gone() => {}
            () = self.read(source, &service, &answers) => {}
            _ = write_answers(sink, finished, self.counters()) => {}
        }
    }

    fn counters(&self) -> &LaneCounters {
        self.inlets.counters.lane(self.lane)
    }

    /// Reads until the stream ends or says what no honest peer says.
    async fn read(
        &self,
        source: impl AsyncRead + Unpin,
        service: &SharedService,
        answers: &mpsc::UnboundedSender<Answer>,
    ) {
        let mut frames = FrameReader::<_, RequestHead>::new(source);
        loop {
            let (head, body) = match frames.next().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(error) => return self.on_read_error(&error),
            };
            self.connection.hear();
            self.counters().frame_in(body.len());
            let deadline = Instant::now() + Duration::from_millis(head.ttl_ms.into());
            let held = self.allowance.take(body.len()).await;
            let taken = self.quota.take(self.lane, body.len()).await;
            if Instant::now() >= deadline {
                self.counters().expired.one();
                continue;
            }
            let Ok(of_peer) = taken else {
                self.counters().over_quota.one();
                tracing::debug!(peer = %self.peer, lane = ?self.lane, "a peer is over its quota");
                let answer = Answer {
                    id: head.id,
                    result: Err(Code::PEER_OVER_QUOTA),
                    _held: held,
                };
                // The stream may have ended meanwhile.
                let _ = answers.send(answer);
                continue;
            };
            let held = held.with(of_peer);
            self.start(service, head.id, body, deadline, held, answers.clone());
        }
    }

    fn on_read_error(&self, error: &ReadError) {
        if let ReadError::Malformed(malformed) = error {
            self.counters().malformed.one();
            let code = MalformedFrame::CODE;
            tracing::warn!(peer = %self.peer, lane = ?self.lane, %code, %malformed, "closing a stream");
        }
    }

    /// Polls the call once before the next request is read, so that calls start in the order of
    /// their requests; the rest of it runs beside.
    fn start(
        &self,
        service: &SharedService,
        id: u64,
        body: Bytes,
        deadline: Instant,
        held: Held,
        answers: mpsc::UnboundedSender<Answer>,
    ) {
        let (service, peer, lane) = (Arc::clone(service), self.peer, self.lane);
        let inlets = Arc::clone(&self.inlets);
        let allowance = Arc::clone(&self.allowance);
        let mut call = Box::pin(async move {
            // Nobody waits for it any longer: what it holds goes to those somebody waits for.
            let Ok(result) = timeout_at(deadline, service.call(peer, lane, body)).await else {
                inlets.counters.lane(lane).expired.one();
                return;
            };
            let bytes = result.as_ref().map_or(0, Bytes::len);
            let answer = Answer {
                id,
                _held: allowance.turn_to_answer(held, bytes).await,
                result,
            };
            // The stream may have ended meanwhile; the peer then knows that nothing is certain.
            let _ = answers.send(answer);
        });
        // The waker may be deaf: a call that is not ready is polled again at once as a task.
        let first = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if first.is_pending() {
            self.inlets.tasks.spawn(call);
        }
    }
}

async fn write_answers(
    sink: impl AsyncWrite + Unpin,
    mut finished: mpsc::UnboundedReceiver<Answer>,
    counters: &LaneCounters,
) -> std::io::Result<()> {
    let mut frames = FrameWriter::new(sink);
    while let Some(first) = finished.recv().await {
        let mut next = Some(first);
        while let Some(answer) = next {
            let (status, body) = match answer.result {
                Ok(body) if body.len() > FRAME_BYTES_MAX => {
                    (Code::ANSWER_TOO_LARGE.number(), Bytes::new())
                }
                Ok(body) => (0, body),
                Err(code) => (code.number(), Bytes::new()),
            };
            let head = AnswerHead {
                id: answer.id,
                status,
                length: length_of(&body),
            };
            counters.frame_out(body.len());
            frames.push(head, &body).await?;
            next = finished.try_recv().ok();
        }
        frames.flush().await?;
    }
    Ok(())
}
