//! Appends, several under way to a follower at once over one ordered lane. Answers come back in the
//! order of the requests; the stream ends at the first that is not a plain success.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use openraft::base::BoxStream;
use openraft::errors::RPCError;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, StreamAppendError, StreamAppendResult,
};
use openraft::{AsyncRuntime, OptionalSend, RPCTypes};
use tongban_runtime::seams::{Lane, Transport};

use super::failure::Failure;
use super::peer::Peer;
use crate::formats::{AppendAnswer, AppendRequest};
use crate::raft_types::{LogId, Types};

/// Requests under way to one follower. With 1 MiB in each this fills 600 Mbit/s over 100 ms, and
/// bounds what a silent follower makes a leader hold.
const UNDER_WAY_MAX: usize = 8;

/// The slowest line that still counts as usable: bytes it carries in a millisecond. A request may
/// take as long as it and those before it need on such a line.
const LINE_BYTES_PER_MS: u64 = 1024;

/// Answers to a stream of appends, in the order of the requests.
pub(super) type Answers<'s, R> =
    BoxStream<'s, Result<StreamAppendResult<Types<R>>, RPCError<Types<R>>>>;

/// What a follower did with one append.
pub(super) struct Stored<R: AsyncRuntime> {
    pub(super) response: AppendEntriesResponse<Types<R>>,
    result: StreamAppendResult<Types<R>>,
    /// All entries were stored, so the stream may go on.
    is_whole: bool,
}

/// Answers to `requests`, in order.
pub(super) fn pipelined<'s, R, T, S>(
    peer: Peer<T>,
    requests: S,
    soft_ttl: Duration,
) -> Answers<'s, R>
where
    R: AsyncRuntime,
    T: Transport,
    S: Stream<Item = AppendEntriesRequest<Types<R>>> + OptionalSend + Unpin + 'static,
{
    let (me, to) = (peer.me, peer.to);
    let under_way = Arc::new(AtomicU64::new(0));
    let answers = requests
        .map(move |request| {
            let load = Load::begin(&under_way, &request);
            let ttl = load.ttl(&peer, soft_ttl);
            let sent = send_append(peer.clone(), request, ttl);
            async move {
                let sent = sent.await;
                drop(load);
                sent
            }
        })
        .buffered(UNDER_WAY_MAX);
    let until_trouble = stream::unfold(Some(Box::pin(answers)), move |answers| async move {
        let mut answers = answers?;
        match answers.next().await? {
            Ok(stored) => Some((Ok(stored.result), stored.is_whole.then_some(answers))),
            Err(failure) => {
                let error = failure.into_rpc(RPCTypes::AppendEntries, me, to);
                Some((Err(error), None))
            }
        }
    });
    Box::pin(until_trouble)
}

/// The bytes of one request, counted among those under way as long as it lives.
struct Load {
    under_way: Arc<AtomicU64>,
    bytes: u64,
    ahead: u64,
}

impl Load {
    fn begin<R: AsyncRuntime>(
        under_way: &Arc<AtomicU64>,
        request: &AppendEntriesRequest<Types<R>>,
    ) -> Self {
        let bytes = request.entries.iter().map(entry_bytes).sum();
        Self {
            ahead: under_way.fetch_add(bytes, Ordering::Relaxed),
            under_way: Arc::clone(under_way),
            bytes,
        }
    }

    /// A heartbeat keeps openraft's limit. Entries are answered after a sync of the follower's log
    /// and after those before them, which may well take longer than a heartbeat interval; that the
    /// leader lives is judged by heartbeats alone.
    fn ttl<T>(&self, peer: &Peer<T>, soft_ttl: Duration) -> Duration {
        if peer.append_lane == Lane::RaftControl {
            return soft_ttl;
        }
        let transfer = Duration::from_millis((self.ahead + self.bytes) / LINE_BYTES_PER_MS);
        peer.append_patience.max(soft_ttl) + transfer
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.under_way.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn entry_bytes(entry: &crate::raft_types::Entry) -> u64 {
    match &entry.payload {
        crate::raft_types::Payload::Normal(proposal) => proposal.0.len() as u64,
        _ => 0,
    }
}

/// Sends one append and reads its answer.
pub(super) async fn send_append<R: AsyncRuntime, T: Transport>(
    peer: Peer<T>,
    request: AppendEntriesRequest<Types<R>>,
    ttl: Duration,
) -> Result<Stored<R>, Failure> {
    if peer.muted.is_set() {
        return Err(Failure::Muted);
    }
    let request = AppendRequest {
        vote: request.vote,
        previous: request.prev_log_id,
        committed: request.leader_commit,
        entries: request.entries,
    };
    let last = request.entries.last().map(|entry| entry.log_id);
    let sent = Sent {
        vote: request.vote,
        previous: request.previous,
        last: last.or(request.previous),
    };
    let body = request.encode(peer.group);
    drop(request);
    let answer = peer.request(peer.append_lane, body, ttl).await?;
    sent.read(AppendAnswer::decode(&answer)?)
}

/// What must be remembered of a request to read its answer.
struct Sent {
    vote: crate::raft_types::Vote,
    previous: Option<LogId>,
    last: Option<LogId>,
}

impl Sent {
    /// Believes only what openraft takes for granted of a follower.
    fn read<R: AsyncRuntime>(self, answer: AppendAnswer) -> Result<Stored<R>, Failure> {
        let (response, result) = match answer {
            AppendAnswer::Stored => (AppendEntriesResponse::Success, Ok(self.last)),
            AppendAnswer::StoredUpTo(upto) if (self.previous..=self.last).contains(&upto) => {
                (AppendEntriesResponse::PartialSuccess(upto), Ok(upto))
            }
            AppendAnswer::StoredUpTo(_) => {
                return Err(Failure::Senseless("stored what was not sent"));
            }
            AppendAnswer::Conflict => {
                let previous = self
                    .previous
                    .ok_or(Failure::Senseless("a conflict before the log begins"))?;
                let conflict = StreamAppendError::Conflict(previous);
                (AppendEntriesResponse::Conflict, Err(conflict))
            }
            AppendAnswer::HigherVote(vote) if vote > self.vote => {
                let higher = StreamAppendError::HigherVote(vote);
                (AppendEntriesResponse::HigherVote(vote), Err(higher))
            }
            AppendAnswer::HigherVote(_) => {
                return Err(Failure::Senseless("a higher vote that is not higher"));
            }
        };
        let is_whole = result == Ok(self.last);
        Ok(Stored {
            response,
            result,
            is_whole,
        })
    }
}
