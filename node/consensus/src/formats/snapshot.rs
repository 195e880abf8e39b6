//! Pieces of a snapshot on their way to a replica that is behind the log, and their answers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tongban_types::GroupId;

use super::position::Position;
use super::records::VoteRecord;
use super::{Kind, Malformed, decode, encode, open_request, put, request_head, take};
use crate::raft_types::{Vote, term_of};

/// One piece: large enough to fill a line, small enough to stand before nothing for long and to be
/// held in memory many times.
pub(crate) const PIECE_BYTES_MAX: usize = 1 << 20;

/// No state of a city comes near this; a length beyond it is not believed.
const SNAPSHOT_BYTES_MAX: u64 = 1 << 40;

/// One piece of a snapshot file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotPiece {
    /// Who leads and sends.
    pub(crate) vote: Vote,
    /// What the snapshot holds.
    pub(crate) position: Position,
    /// Length of the whole file.
    pub(crate) length: u64,
    /// Where the piece belongs.
    pub(crate) offset: u64,
    /// The piece.
    pub(crate) piece: Bytes,
}

#[derive(Serialize, Deserialize)]
struct PieceHead {
    vote: VoteRecord,
    position: Vec<u8>,
    length: u64,
    offset: u64,
}

impl SnapshotPiece {
    pub(crate) fn encode(&self, group: GroupId) -> Bytes {
        let head = PieceHead {
            vote: (&self.vote).into(),
            position: self.position.encode(),
            length: self.length,
            offset: self.offset,
        };
        let capacity = 256 + self.piece.len();
        let mut frame = put(request_head(Kind::SnapshotPiece, group, capacity), &head);
        frame.extend_from_slice(&self.piece);
        frame.into()
    }

    /// Decodes a frame; a piece lies inside its file, is not empty unless the file is, and comes
    /// from one who leads in a term no older than what the snapshot holds.
    pub(crate) fn decode(frame: &Bytes) -> Result<Self, Malformed> {
        let (head, piece) = take::<PieceHead>(open_request(Kind::SnapshotPiece, frame)?)?;
        let vote: Vote = head.vote.try_into()?;
        let position = Position::decode(&head.position)?;
        if !vote.is_committed() {
            return Err(Malformed::Rule("a snapshot from one who does not lead"));
        }
        let applied_term = position
            .applied
            .map(|id| term_of(&id))
            .ok_or(Malformed::Rule("a snapshot of nothing"))?;
        if applied_term > vote.leader_id().term {
            return Err(Malformed::Rule("a snapshot newer than its sender"));
        }
        let membership = &position.membership;
        if membership.log_id() > &position.applied || membership.voter_ids().next().is_none() {
            return Err(Malformed::Rule("a snapshot of no group"));
        }
        if piece.len() > PIECE_BYTES_MAX || head.length > SNAPSHOT_BYTES_MAX {
            return Err(Malformed::Rule("a piece or a snapshot too large"));
        }
        let end = head.offset.checked_add(piece.len() as u64);
        let inside = end.is_some_and(|end| end <= head.length);
        if !inside || (piece.is_empty() && head.length > 0) {
            return Err(Malformed::Rule("a piece outside its snapshot"));
        }
        Ok(Self {
            vote,
            position,
            length: head.length,
            offset: head.offset,
            piece: frame.slice_ref(piece),
        })
    }
}

/// What the receiver says to a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotAnswer {
    /// Everything before this offset is there: go on from it.
    Continue(u64),
    /// The snapshot is installed, or the receiver needs it no more.
    Installed(Vote),
    /// The receiver knows of a higher vote.
    HigherVote(Vote),
}

#[derive(Serialize, Deserialize)]
enum SnapshotAnswerRecord {
    Continue(u64),
    Installed(VoteRecord),
    HigherVote(VoteRecord),
}

impl SnapshotAnswer {
    pub(crate) fn encode(&self) -> Bytes {
        let record = match self {
            Self::Continue(offset) => SnapshotAnswerRecord::Continue(*offset),
            Self::Installed(vote) => SnapshotAnswerRecord::Installed(vote.into()),
            Self::HigherVote(vote) => SnapshotAnswerRecord::HigherVote(vote.into()),
        };
        encode(Kind::SnapshotAnswer, &record).into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match decode(Kind::SnapshotAnswer, bytes)? {
            SnapshotAnswerRecord::Continue(offset) => Self::Continue(offset),
            SnapshotAnswerRecord::Installed(vote) => Self::Installed(vote.try_into()?),
            SnapshotAnswerRecord::HigherVote(vote) => Self::HigherVote(vote.try_into()?),
        })
    }
}
