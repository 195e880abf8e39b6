//! Receives a snapshot piece by piece. One transfer at a time: a replica needs one, and a newer
//! leader's takes the place of an older one's. openraft takes for granted that a snapshot is whole,
//! holds what its sender says, and goes on behind what is committed here: all of it is seen to
//! before openraft hears of it, so that a snapshot that is none costs its sender a refusal. And it
//! takes for granted that a log does not reach beyond the snapshot it is given: a replica whose log
//! holds the snapshot's last entry holds all before it too (Raft §5.3), and needs no snapshot.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::AsyncRuntime;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse};
use openraft::storage::Snapshot;
use tongban_runtime::ports::{ReplicatedState, StateFailed};
use tongban_types::Code;

use super::{Core, fits};
use crate::formats::{Position, SnapshotAnswer, SnapshotPiece};
use crate::raft_types::{LogId, Vote};
use crate::storage::{Received, SnapshotSource};

/// The transfer under way, if any.
pub(super) struct SnapshotReceiver {
    state: Arc<dyn ReplicatedState>,
    slot: Mutex<Slot>,
}

/// What the receiver is at.
enum Slot {
    Empty,
    Receiving(Transfer),
    /// All of it came, and is being checked and installed.
    Installing(Announced),
}

/// What a sender says of a snapshot, the same with each piece.
#[derive(Clone, PartialEq)]
struct Announced {
    vote: Vote,
    position: Position,
    length: u64,
}

impl Announced {
    fn of(piece: &SnapshotPiece) -> Self {
        Self {
            vote: piece.vote,
            position: piece.position.clone(),
            length: piece.length,
        }
    }
}

/// One transfer: what it will be, where it goes, and how far it is.
struct Transfer {
    announced: Announced,
    file: Received,
    received: u64,
}

impl Transfer {
    fn left(&self) -> u64 {
        self.announced.length.saturating_sub(self.received)
    }
}

/// Ends the state of installing, however that ends.
struct Installing<'a> {
    receiver: &'a SnapshotReceiver,
    announced: Announced,
}

impl Drop for Installing<'_> {
    fn drop(&mut self) {
        let mut slot = self.receiver.slot();
        if matches!(&*slot, Slot::Installing(other) if *other == self.announced) {
            *slot = Slot::Empty;
        }
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
            slot: Mutex::new(Slot::Empty),
        }
    }

    /// Takes one piece. The vote is checked first, so that a leader of the past moves nothing.
    pub(super) async fn take<R: AsyncRuntime>(
        &self,
        core: &Core<R>,
        piece: SnapshotPiece,
    ) -> Result<SnapshotAnswer, Code> {
        if let Some(answer) = not_needed(core, piece.vote, &piece.position).await? {
            *self.slot() = Slot::Empty;
            return Ok(answer);
        }
        match self.store(&piece).map_err(|failed| refused(&failed))? {
            Step::Continue(next) => Ok(SnapshotAnswer::Continue(next)),
            Step::Whole(transfer) => self.install(core, transfer).await,
        }
    }

    /// Writes the piece if it is the next one. A piece of another transfer begins that one; one of a
    /// snapshot that is being installed is told that all of it is there. Whether there is room is asked
    /// with each piece: a length costs its sender nothing, and other groups receive beside this one.
    fn store(&self, piece: &SnapshotPiece) -> Result<Step, StateFailed> {
        let announced = Announced::of(piece);
        let mut slot = self.slot();
        let mut transfer = match std::mem::replace(&mut *slot, Slot::Empty) {
            Slot::Receiving(transfer) if transfer.announced == announced => {
                self.state.check_room(piece.length, transfer.left())?;
                transfer
            }
            Slot::Installing(other) if other == announced => {
                *slot = Slot::Installing(other);
                return Ok(Step::Continue(piece.length));
            }
            _ => {
                self.state.check_room(piece.length, piece.length)?;
                Transfer {
                    announced,
                    file: Received::begin(&self.state)?,
                    received: 0,
                }
            }
        };
        if piece.offset == transfer.received {
            transfer.file.write(piece.offset, &piece.piece)?;
            transfer.received += piece.piece.len() as u64;
            if transfer.received == piece.length {
                *slot = Slot::Installing(transfer.announced.clone());
                return Ok(Step::Whole(transfer));
            }
        }
        let next = transfer.received;
        *slot = Slot::Receiving(transfer);
        Ok(Step::Continue(next))
    }

    async fn install<R: AsyncRuntime>(
        &self,
        core: &Core<R>,
        transfer: Transfer,
    ) -> Result<SnapshotAnswer, Code> {
        let Transfer {
            announced, file, ..
        } = transfer;
        let _installing = Installing {
            receiver: self,
            announced: announced.clone(),
        };
        let Announced {
            vote,
            position,
            length,
        } = announced;
        let source = file.check().await.map_err(|failed| refused(&failed))?;
        if !holds(&source, &position, length) {
            return Err(refused(&StateFailed::Rejected {
                reason: "it does not hold what its sender said".to_owned(),
            }));
        }
        // Checking took a while.
        if let Some(answer) = not_needed(core, vote, &position).await? {
            return Ok(answer);
        }
        let snapshot = Snapshot {
            meta: position.into(),
            snapshot: source,
        };
        let installed = core.install_full_snapshot(vote, snapshot).await;
        let response = installed.map_err(|_| Code::GROUP_STOPPED)?;
        Ok(if response.vote > vote {
            SnapshotAnswer::HigherVote(response.vote)
        } else {
            SnapshotAnswer::Installed(response.vote)
        })
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        // A transfer that a panic left half changed is only a file that is written again.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file is as long as announced and its own head says the same of its place in the log.
fn holds(source: &SnapshotSource, position: &Position, length: u64) -> bool {
    let file = &source.file;
    let own = Position::decode(&file.position);
    file.length == length
        && own.is_ok_and(|own| own == *position)
        && position.applied.map(|id| id.index()) == Some(file.index)
}

fn refused(failed: &StateFailed) -> Code {
    tracing::warn!(error = %failed, code = %Code::SNAPSHOT_REFUSED, "a received snapshot");
    Code::SNAPSHOT_REFUSED
}

/// An answer without a transfer: another leads by now, or the state or the log is already as far. A
/// snapshot that has another entry where one is committed here is refused.
async fn not_needed<R: AsyncRuntime>(
    core: &Core<R>,
    vote: Vote,
    position: &Position,
) -> Result<Option<SnapshotAnswer>, Code> {
    let Some(last) = position.applied else {
        return Err(Code::SNAPSHOT_REFUSED);
    };
    {
        let metrics = core.metrics();
        let known = metrics.borrow_watched();
        if known.vote > vote {
            return Ok(Some(SnapshotAnswer::HigherVote(known.vote)));
        }
        if !fits(&last, known.local_committed.as_ref()) {
            return Err(Code::SNAPSHOT_REFUSED);
        }
        if known.last_applied >= Some(last) {
            return Ok(Some(SnapshotAnswer::Installed(vote)));
        }
    }
    if is_in_log(core, last).await? {
        answer_for_log(core, vote, last).await
    } else {
        Ok(None)
    }
}

/// Whether the log here holds this very entry. The core is asked, so that an append it was handed
/// before is in it; one that comes between this and an installation is a matter of a moment.
async fn is_in_log<R: AsyncRuntime>(core: &Core<R>, id: LogId) -> Result<bool, Code> {
    let asked = core.with_raft_state(move |state| state.log_ids.get(id.index()) == Some(id));
    asked.await.map_err(|_| Code::GROUP_STOPPED)
}

/// What the log holds is answered for as to an append that brings nothing: the vote counts from then on,
/// and all up to `last` is durable.
async fn answer_for_log<R: AsyncRuntime>(
    core: &Core<R>,
    vote: Vote,
    last: LogId,
) -> Result<Option<SnapshotAnswer>, Code> {
    let request = AppendEntriesRequest {
        vote,
        prev_log_id: Some(last),
        leader_commit: None,
        entries: Vec::new(),
    };
    let response = core.append_entries(request).await;
    Ok(match response.map_err(|_| Code::GROUP_STOPPED)? {
        AppendEntriesResponse::Success => Some(SnapshotAnswer::Installed(vote)),
        AppendEntriesResponse::HigherVote(vote) => Some(SnapshotAnswer::HigherVote(vote)),
        // Meanwhile another leader cut it off.
        AppendEntriesResponse::Conflict | AppendEntriesResponse::PartialSuccess(_) => None,
    })
}
