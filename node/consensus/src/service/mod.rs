//! Answers the Raft requests of peers: read and checked here, decided by openraft.

mod snapshot_receiver;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::RaftError;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest,
    VoteRequest,
};
use openraft::{AsyncRuntime, Instant as _, Raft};
use tongban_runtime::ports::ReplicatedState;
use tongban_runtime::seams::Lane;
use tongban_types::{Code, GroupId, NodeId};

use crate::changes::Changes;
use crate::formats::{
    AppendAnswer, AppendRequest, BallotAnswer, BallotRequest, Kind, Malformed, SnapshotAnswer,
    SnapshotPiece, TransferAnswer, TransferRequest, group_of, kind_of,
};
use crate::raft_types::{LogId, Types, Vote, term_of};
use crate::storage::StateMachine;
use snapshot_receiver::SnapshotReceiver;

/// A group's core.
pub(crate) type Core<R> = Raft<Types<R>, StateMachine<R>>;

/// Answers what peers ask of one group.
pub(crate) struct Service<R: AsyncRuntime> {
    group: GroupId,
    founding: BTreeSet<NodeId>,
    /// Named by an order this node was told of, for as long as its log does not say so.
    admitted: Mutex<BTreeSet<NodeId>>,
    changes: Changes,
    core: Core<R>,
    snapshots: SnapshotReceiver,
    /// When the leader was heard last.
    heard: Mutex<Option<R::Instant>>,
}

impl<R: AsyncRuntime> Service<R> {
    pub(crate) fn new(
        group: GroupId,
        founding: BTreeSet<NodeId>,
        changes: Changes,
        core: Core<R>,
        state: Arc<dyn ReplicatedState>,
    ) -> Self {
        Self {
            group,
            founding,
            admitted: Mutex::default(),
            changes,
            core,
            snapshots: SnapshotReceiver::new(state),
            heard: Mutex::default(),
        }
    }

    /// Whether the leader was heard so lately.
    pub(crate) fn hears_leader(&self, lately: Duration) -> bool {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.is_some_and(|at| at.elapsed() <= lately)
    }

    fn hear_leader(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(R::Instant::now());
    }

    /// These may speak, whatever the log says.
    pub(crate) fn admit(&self, replicas: BTreeSet<NodeId>) {
        *self.admitted() = replicas;
    }

    /// Who may speak: the members by the log, and whom a signed order names. Before the log says
    /// anything and nothing was told, those the group begins with.
    fn may_speak(&self, peer: NodeId) -> bool {
        let metrics = self.core.metrics();
        let known = metrics.borrow_watched();
        let membership = known.membership_config.membership();
        if membership.get_node(&peer.as_u64()).is_some() {
            return true;
        }
        let admitted = self.admitted();
        let knows_nothing = admitted.is_empty() && membership.nodes().next().is_none();
        admitted.contains(&peer) || (knows_nothing && self.founding.contains(&peer))
    }

    fn admitted(&self) -> MutexGuard<'_, BTreeSet<NodeId>> {
        // It is replaced whole.
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request. An append reaches the core at the first poll, so that a transport that
    /// first polls calls in order keeps them in order.
    pub(crate) async fn answer(
        &self,
        peer: NodeId,
        lane: Lane,
        body: Bytes,
    ) -> Result<Bytes, Code> {
        if group_of(&body) != Some(self.group) {
            return Err(Code::RAFT_WRONG_GROUP);
        }
        if !self.may_speak(peer) {
            return Err(Code::RAFT_NOT_A_REPLICA);
        }
        let kind = kind_of(&body).unwrap_or(0);
        match lane {
            Lane::RaftAppend | Lane::RaftControl if kind == Kind::Append as u16 => {
                self.append(peer, &body).await
            }
            Lane::RaftControl if kind == Kind::Ballot as u16 => self.ballot(peer, &body).await,
            Lane::RaftControl if kind == Kind::Transfer as u16 => self.transfer(peer, &body).await,
            Lane::RaftSnapshot if kind == Kind::SnapshotPiece as u16 => {
                self.snapshot_piece(peer, &body).await
            }
            _ => Err(Code::RAFT_MALFORMED),
        }
    }

    async fn append(&self, peer: NodeId, body: &Bytes) -> Result<Bytes, Code> {
        let request = AppendRequest::decode(body).map_err(|reason| malformed(peer, &reason))?;
        said_by(peer, &request.vote)?;
        self.agrees(&request)
            .map_err(|reason| malformed(peer, &reason))?;
        let admissible = self.changes.admissible(&request).map_err(|error| {
            tracing::error!(%peer, %error, "a change of members cannot be judged");
            Code::MEMBERSHIP_NOT_ORDERED
        })?;
        let is_whole = admissible == request.entries.len();
        let mut entries = request.entries;
        entries.truncate(admissible);
        let stored = entries.last().map(|entry| entry.log_id);
        let request = AppendEntriesRequest {
            vote: request.vote,
            prev_log_id: request.previous,
            leader_commit: request.committed,
            entries,
        };
        let response = self.core.append_entries(request).await.map_err(stopped)?;
        if !matches!(response, AppendEntriesResponse::HigherVote(_)) {
            self.hear_leader();
        }
        let answer = match response {
            AppendEntriesResponse::Success if is_whole => AppendAnswer::Stored,
            AppendEntriesResponse::Success if stored.is_some() => AppendAnswer::StoredUpTo(stored),
            AppendEntriesResponse::Success => {
                let (group, code) = (self.group, Code::MEMBERSHIP_NOT_ORDERED);
                tracing::debug!(%group, %peer, %code, "a change of members is not appended now");
                return Err(code);
            }
            AppendEntriesResponse::PartialSuccess(upto) => AppendAnswer::StoredUpTo(upto),
            AppendEntriesResponse::Conflict => AppendAnswer::Conflict,
            AppendEntriesResponse::HigherVote(vote) => AppendAnswer::HigherVote(vote),
        };
        Ok(answer.encode())
    }

    /// openraft takes for granted that a leader holds what is committed here, and would take what is
    /// committed back.
    fn agrees(&self, request: &AppendRequest) -> Result<(), Malformed> {
        let metrics = self.core.metrics();
        let known = metrics.borrow_watched();
        let committed = known.local_committed.as_ref();
        let ends = request.previous.iter().chain(&request.committed);
        let entries = request.entries.iter().map(|entry| &entry.log_id);
        if ends.chain(entries).all(|id| fits(id, committed)) {
            return Ok(());
        }
        Err(Malformed::Rule("entries in the place of committed ones"))
    }

    async fn ballot(&self, peer: NodeId, body: &Bytes) -> Result<Bytes, Code> {
        let request = BallotRequest::decode(body).map_err(|reason| malformed(peer, &reason))?;
        said_by(peer, &request.vote)?;
        let only_asking = request.only_asking;
        let request = VoteRequest {
            vote: request.vote,
            last_log_id: request.last,
            leadership_transfer: request.handed_over,
        };
        let response = if only_asking {
            self.core.pre_vote(request).await.map_err(stopped)?
        } else {
            self.core.vote(request).await.map_err(stopped)?
        };
        let answer = BallotAnswer {
            vote: response.vote,
            last: response.last_log_id,
            granted: response.vote_granted,
        };
        Ok(answer.encode())
    }

    async fn transfer(&self, peer: NodeId, body: &Bytes) -> Result<Bytes, Code> {
        let request = TransferRequest::decode(body).map_err(|reason| malformed(peer, &reason))?;
        said_by(peer, &request.from)?;
        let request = TransferLeaderRequest::new(request.from, request.to, request.last);
        let response = self.core.handle_transfer_leader(request).await;
        let answer = match response.map_err(|_| Code::GROUP_STOPPED)? {
            Ok(()) => TransferAnswer::Accepted,
            Err(TransferLeaderError::VoteChanged { expected, actual }) => {
                TransferAnswer::VoteChanged { expected, actual }
            }
            Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
                TransferAnswer::LogBehind { expected, actual }
            }
        };
        Ok(answer.encode())
    }

    async fn snapshot_piece(&self, peer: NodeId, body: &Bytes) -> Result<Bytes, Code> {
        let piece = SnapshotPiece::decode(body).map_err(|reason| malformed(peer, &reason))?;
        said_by(peer, &piece.vote)?;
        let answer = self.snapshots.take(&self.core, piece).await?;
        if !matches!(answer, SnapshotAnswer::HigherVote(_)) {
            self.hear_leader();
        }
        Ok(answer.encode())
    }
}

/// Whether a log may hold this entry beside the committed one: terms do not fall along a log.
fn fits(id: &LogId, committed: Option<&LogId>) -> bool {
    committed.is_none_or(|committed| {
        if id.index() <= committed.index() {
            term_of(id) <= term_of(committed)
        } else {
            term_of(id) >= term_of(committed)
        }
    })
}

/// A vote names who stands or leads; nobody speaks for another node.
fn said_by(peer: NodeId, vote: &Vote) -> Result<(), Code> {
    if vote.leader_id().voted_for == peer.as_u64() {
        return Ok(());
    }
    tracing::warn!(%peer, %vote, code = %Code::RAFT_WRONG_SENDER, "a vote of another node");
    Err(Code::RAFT_WRONG_SENDER)
}

fn malformed(peer: NodeId, reason: &Malformed) -> Code {
    tracing::warn!(%peer, %reason, code = %Code::RAFT_MALFORMED, "a Raft request is refused");
    Code::RAFT_MALFORMED
}

fn stopped<R: AsyncRuntime>(_fatal: RaftError<Types<R>>) -> Code {
    Code::GROUP_STOPPED
}
