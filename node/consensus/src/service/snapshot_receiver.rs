//! Receives a snapshot piece by piece. One transfer at a time: a replica needs one, and a newer
//! leader's takes the place of an older one's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::AsyncRuntime;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::storage::Snapshot;
use tongban_runtime::ports::{ReplicatedState, SnapshotFile, StateFailed};
use tongban_types::Code;

use super::Core;
use crate::formats::{Position, SnapshotAnswer, SnapshotPiece};
use crate::raft_types::Vote;
use crate::storage::SnapshotSource;

/// The transfer under way, if any.
pub(super) struct SnapshotReceiver {
    state: Arc<dyn ReplicatedState>,
    transfer: Mutex<Option<Transfer>>,
}

/// One transfer: what it will be, where it goes, and how far it is.
struct Transfer {
    vote: Vote,
    position: Position,
    length: u64,
    name: String,
    received: u64,
}

impl Transfer {
    fn is_of(&self, piece: &SnapshotPiece) -> bool {
        self.vote == piece.vote && self.position == piece.position && self.length == piece.length
    }
}

/// What a piece led to.
enum Step {
    Continue(u64),
    Whole(Transfer),
}

impl SnapshotReceiver {
    pub(super) fn new(state: Arc<dyn ReplicatedState>) -> Self {
        Self {
            state,
            transfer: Mutex::new(None),
        }
    }

    /// Takes one piece. The vote is checked first, so that a leader of the past moves nothing.
    pub(super) async fn take<R: AsyncRuntime>(
        &self,
        core: &Core<R>,
        piece: SnapshotPiece,
    ) -> Result<SnapshotAnswer, Code> {
        if let Some(answer) = not_needed(core, &piece) {
            self.transfer().take();
            return Ok(answer);
        }
        let step = self.store(&piece).map_err(|failed| {
            tracing::error!(error = %failed, code = %Code::SNAPSHOT_REFUSED, "a snapshot piece");
            Code::SNAPSHOT_REFUSED
        })?;
        match step {
            Step::Continue(next) => Ok(SnapshotAnswer::Continue(next)),
            Step::Whole(transfer) => self.install(core, transfer).await,
        }
    }

    /// Writes the piece if it is the next one. A piece of another transfer begins that one.
    fn store(&self, piece: &SnapshotPiece) -> Result<Step, StateFailed> {
        let mut slot = self.transfer();
        let mut transfer = match slot.take() {
            Some(transfer) if transfer.is_of(piece) => transfer,
            _ => Transfer {
                vote: piece.vote,
                position: piece.position.clone(),
                length: piece.length,
                name: self.state.begin_receive()?,
                received: 0,
            },
        };
        if piece.offset == transfer.received {
            self.state
                .receive(&transfer.name, piece.offset, &piece.piece)?;
            transfer.received += piece.piece.len() as u64;
            if transfer.received == transfer.length {
                return Ok(Step::Whole(transfer));
            }
        }
        let next = transfer.received;
        *slot = Some(transfer);
        Ok(Step::Continue(next))
    }

    async fn install<R: AsyncRuntime>(
        &self,
        core: &Core<R>,
        transfer: Transfer,
    ) -> Result<SnapshotAnswer, Code> {
        let snapshot = Snapshot {
            meta: transfer.position.clone().into(),
            snapshot: SnapshotSource {
                state: Arc::clone(&self.state),
                file: SnapshotFile {
                    name: transfer.name,
                    length: transfer.length,
                    position: transfer.position.encode(),
                },
            },
        };
        let installed = core.install_full_snapshot(transfer.vote, snapshot).await;
        let response = installed.map_err(|_| Code::GROUP_STOPPED)?;
        Ok(if response.vote > transfer.vote {
            SnapshotAnswer::HigherVote(response.vote)
        } else {
            SnapshotAnswer::Installed(response.vote)
        })
    }

    fn transfer(&self) -> MutexGuard<'_, Option<Transfer>> {
        // A transfer that a panic left half changed is only a file that is written again.
        self.transfer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer without a transfer: another leads by now, or the state is already as far.
fn not_needed<R: AsyncRuntime>(core: &Core<R>, piece: &SnapshotPiece) -> Option<SnapshotAnswer> {
    let metrics = core.metrics();
    let known = metrics.borrow_watched();
    if known.vote > piece.vote {
        return Some(SnapshotAnswer::HigherVote(known.vote));
    }
    (known.last_applied >= piece.position.applied).then_some(SnapshotAnswer::Installed(piece.vote))
}
