//! Sends a snapshot piece by piece. The receiver says where to go on, so that a transfer cut off goes
//! on where it ended, and a lost answer costs one piece: of the last one too, which is answered when all
//! is installed, and sent again to ask how that went where it takes longer than an answer may.

use std::time::Duration;

use openraft::async_runtime::Select2;
use openraft::errors::{RPCError, ReplicationClosed, StreamingError};
use openraft::raft::SnapshotResponse;
use openraft::storage::Snapshot;
use openraft::type_config::TypeConfigExt;
use openraft::vote::leader_id_std::CommittedLeaderId;
use openraft::{AsyncRuntime, EmptyNode, OptionalSend, RPCTypes, StorageError};
use tongban_runtime::seams::{Lane, Transport, TransportError};

use super::failure::Failure;
use super::peer::Peer;
use crate::formats::{PIECE_BYTES_MAX, Position, SnapshotAnswer, SnapshotPiece};
use crate::raft_types::{Types, Vote};
use crate::storage::SnapshotSource;

/// Time for one piece of 1 MiB on the slowest usable line, and a slow write at its end.
const PIECE_TTL: Duration = Duration::from_secs(10);

/// How often a receiver that has everything is asked whether it is installed.
const INSTALL_LOOK: Duration = Duration::from_secs(1);

/// A piece is sent this often before the transfer is given up until openraft's next try.
const PIECE_TRIES_MAX: u32 = 3;

type RaftSnapshot = Snapshot<CommittedLeaderId<u64>, u64, EmptyNode, SnapshotSource>;

/// One transfer.
pub(super) struct SnapshotSender<T> {
    peer: Peer<T>,
    vote: Vote,
    position: Position,
    source: SnapshotSource,
    /// Time for installing, once all pieces are there.
    install_ttl: Duration,
}

impl<T: Transport> SnapshotSender<T> {
    pub(super) fn new(
        peer: Peer<T>,
        vote: Vote,
        snapshot: RaftSnapshot,
        install_ttl: Duration,
    ) -> Self {
        Self {
            peer,
            vote,
            position: Position::from(&snapshot.meta),
            source: snapshot.snapshot,
            install_ttl,
        }
    }

    /// Sends all pieces, until the receiver installed them, or refuses, or `cancel`.
    pub(super) async fn run<R: AsyncRuntime>(
        self,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
    ) -> Result<SnapshotResponse<Types<R>>, StreamingError<Types<R>>> {
        let sending = self.send_all::<R>();
        match R::select2(cancel, sending).await {
            Select2::First(closed) => Err(StreamingError::Closed(closed)),
            Select2::Second(sent) => sent,
        }
    }

    async fn send_all<R: AsyncRuntime>(
        &self,
    ) -> Result<SnapshotResponse<Types<R>>, StreamingError<Types<R>>> {
        let (mut offset, mut looks) = (0, Duration::ZERO);
        for _ in 0..self.rounds_max() {
            let piece = self.piece::<R>(offset)?;
            match self.send(&piece).await {
                Ok(SnapshotAnswer::Continue(next)) if next == self.source.file.length => {
                    // It is being installed; the same piece again asks how that went.
                    if looks >= self.install_ttl {
                        let failure = Failure::Senseless("a snapshot that is never installed");
                        return Err(self.streaming_error(failure));
                    }
                    looks += INSTALL_LOOK;
                    R::sleep(INSTALL_LOOK).await;
                }
                Ok(SnapshotAnswer::Continue(next)) if next < self.source.file.length => {
                    offset = next;
                }
                Ok(SnapshotAnswer::Continue(_)) => {
                    let failure = Failure::Senseless("a piece behind the end");
                    return Err(self.streaming_error(failure));
                }
                Ok(SnapshotAnswer::Installed(vote) | SnapshotAnswer::HigherVote(vote)) => {
                    return Ok(SnapshotResponse::new(vote));
                }
                Err(failure) => return Err(self.streaming_error(failure)),
            }
        }
        Err(self.streaming_error(Failure::Senseless("a transfer that does not get on")))
    }

    /// Twice the pieces there are, since a receiver may have to begin again once, and as often as it is
    /// asked whether it has installed them.
    fn rounds_max(&self) -> u64 {
        let looks = self.install_ttl.as_secs() / INSTALL_LOOK.as_secs();
        2 * (self.source.file.length / PIECE_BYTES_MAX as u64 + 1) + looks
    }

    /// Reads a piece. The file is held open, so that a newer snapshot does not take it away; one
    /// that cannot be read stops the group.
    fn piece<R: AsyncRuntime>(
        &self,
        offset: u64,
    ) -> Result<SnapshotPiece, StreamingError<Types<R>>> {
        let piece = self.source.piece(offset).map_err(|failed| {
            let source = Types::<R>::err_from_error(&failed);
            StreamingError::StorageError(StorageError::read_snapshot(None, source))
        })?;
        Ok(SnapshotPiece {
            vote: self.vote,
            position: self.position.clone(),
            length: self.source.file.length,
            offset,
            piece,
        })
    }

    async fn send(&self, piece: &SnapshotPiece) -> Result<SnapshotAnswer, Failure> {
        let body = piece.encode(self.peer.group);
        let mut tries = 1;
        loop {
            let lane = Lane::RaftSnapshot;
            match self.peer.request(lane, body.clone(), PIECE_TTL).await {
                Ok(answer) => return Ok(SnapshotAnswer::decode(&answer)?),
                Err(Failure::Transport(TransportError::TimedOut { .. }))
                    if tries < PIECE_TRIES_MAX =>
                {
                    tries += 1;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn streaming_error<R: AsyncRuntime>(&self, failure: Failure) -> StreamingError<Types<R>> {
        let error: RPCError<Types<R>> =
            failure.into_rpc(RPCTypes::InstallSnapshot, self.peer.me, self.peer.to);
        error.into()
    }
}
