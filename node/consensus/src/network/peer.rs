//! One peer as openraft's client sees it: votes, hand-overs, single appends, and the way to streams of
//! appends and snapshots.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use openraft::base::BoxFuture;
use openraft::errors::{RPCError, ReplicationClosed, StreamingError};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::storage::Snapshot;
use openraft::vote::leader_id_std::CommittedLeaderId;
use openraft::{AsyncRuntime, EmptyNode, OptionalSend, RPCTypes, RaftNetworkV2};
use tongban_runtime::seams::{Lane, Transport};
use tongban_types::{GroupId, NodeId};

use super::append_stream::{Answers, pipelined, send_append};
use super::failure::Failure;
use super::snapshot_sender::SnapshotSender;
use crate::fitness::Muted;
use crate::formats::{BallotAnswer, BallotRequest, TransferAnswer, TransferRequest};
use crate::raft_types::{Types, Vote};
use crate::storage::SnapshotSource;

/// A replica of the same group on another node.
pub(crate) struct Peer<T> {
    pub(super) transport: Arc<T>,
    pub(super) group: GroupId,
    pub(super) me: u64,
    pub(super) to: u64,
    /// Where this client's appends go: entries, or heartbeats.
    pub(super) append_lane: Lane,
    pub(super) append_patience: Duration,
    pub(super) muted: Muted,
}

impl<T> Clone for Peer<T> {
    fn clone(&self) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            muted: self.muted.clone(),
            ..*self
        }
    }
}

impl<T: Transport> Peer<T> {
    /// One request and its answer.
    pub(super) async fn request(
        &self,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> Result<Bytes, Failure> {
        let to = NodeId::from_u64(self.to).map_err(|_| Failure::NoSuchNode(self.to))?;
        Ok(self.transport.request(to, lane, body, ttl).await?)
    }

    async fn ballot(&self, request: BallotRequest, ttl: Duration) -> Result<BallotAnswer, Failure> {
        let body = request.encode(self.group);
        let answer = self.request(Lane::RaftControl, body, ttl).await?;
        Ok(BallotAnswer::decode(&answer)?)
    }

    async fn hand_over(
        &self,
        request: TransferRequest,
        ttl: Duration,
    ) -> Result<TransferAnswer, Failure> {
        let body = request.encode(self.group);
        let answer = self.request(Lane::RaftControl, body, ttl).await?;
        Ok(TransferAnswer::decode(&answer)?)
    }
}

impl<R: AsyncRuntime, T: Transport> RaftNetworkV2<Types<R>> for Peer<T> {
    type SnapshotData = SnapshotSource;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types<R>>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types<R>>, RPCError<Types<R>>> {
        let sent = send_append(self.clone(), request, option.soft_ttl()).await;
        match sent {
            Ok(stored) => Ok(stored.response),
            Err(failure) => Err(failure.into_rpc(RPCTypes::AppendEntries, self.me, self.to)),
        }
    }

    fn stream_append<S>(
        &mut self,
        requests: S,
        option: RPCOption,
    ) -> BoxFuture<'_, Result<Answers<'_, R>, RPCError<Types<R>>>>
    where
        S: Stream<Item = AppendEntriesRequest<Types<R>>> + OptionalSend + Unpin + 'static,
    {
        let answers = pipelined(self.clone(), requests, option.soft_ttl());
        Box::pin(async move { Ok(answers) })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Types<R>>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types<R>>, RPCError<Types<R>>> {
        let answer = self
            .ballot(ballot(&request, false), option.soft_ttl())
            .await;
        answer
            .map(|answer| ballot_response(&answer))
            .map_err(|failure| failure.into_rpc(RPCTypes::Vote, self.me, self.to))
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Types<R>>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types<R>>, RPCError<Types<R>>> {
        let answer = self.ballot(ballot(&request, true), option.soft_ttl()).await;
        answer
            .map(|answer| ballot_response(&answer))
            .map_err(|failure| failure.into_rpc(RPCTypes::Vote, self.me, self.to))
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<CommittedLeaderId<u64>, u64, EmptyNode, SnapshotSource>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<Types<R>>, StreamingError<Types<R>>> {
        let sender = SnapshotSender::new(self.clone(), vote, snapshot, option.soft_ttl());
        sender.run::<R>(cancel).await
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types<R>>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types<R>>, RPCError<Types<R>>> {
        let request = TransferRequest {
            from: *request.from_leader(),
            to: *request.to_node_id(),
            last: request.last_log_id().copied(),
        };
        let answer = self.hand_over(request, option.soft_ttl()).await;
        match answer {
            Ok(TransferAnswer::Accepted) => Ok(Ok(())),
            Ok(TransferAnswer::VoteChanged { expected, actual }) => {
                Ok(Err(TransferLeaderError::VoteChanged { expected, actual }))
            }
            Ok(TransferAnswer::LogBehind { expected, actual }) => {
                Ok(Err(TransferLeaderError::LogNotFlushed { expected, actual }))
            }
            Err(failure) => Err(failure.into_rpc(RPCTypes::TransferLeader, self.me, self.to)),
        }
    }
}

fn ballot<R: AsyncRuntime>(request: &VoteRequest<Types<R>>, only_asking: bool) -> BallotRequest {
    BallotRequest {
        vote: request.vote,
        last: request.last_log_id,
        handed_over: request.leadership_transfer,
        only_asking,
    }
}

fn ballot_response<R: AsyncRuntime>(answer: &BallotAnswer) -> VoteResponse<Types<R>> {
    VoteResponse {
        vote: answer.vote,
        vote_granted: answer.granted,
        last_log_id: answer.last,
    }
}
