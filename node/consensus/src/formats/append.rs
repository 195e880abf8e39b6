//! Append requests (Raft §5.3) and heartbeats, and their answers. Entries follow the head raw, in
//! the encoding the log keeps, so that a follower stores the bytes it received without a copy.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tongban_types::GroupId;

use super::entry::{decode_entry, encode_entry};
use super::records::{LogIdRecord, VoteRecord};
use super::{COUNTER_MAX, Kind, Malformed, decode, encode, open_request, put, request_head, take};
use crate::raft_types::{Entry, LogId, Vote, log_id, term_of};

/// More entries than this no leader sends in one request.
pub(crate) const APPEND_ENTRIES_MAX: usize = 4096;

/// A request to append the entries that follow `previous`; a heartbeat has none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AppendRequest {
    pub(crate) vote: Vote,
    pub(crate) previous: Option<LogId>,
    pub(crate) committed: Option<LogId>,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct AppendHead {
    vote: VoteRecord,
    previous: Option<LogIdRecord>,
    committed: Option<LogIdRecord>,
    entries: Vec<EntryHead>,
}

/// Term and length of an entry; its index follows from its place.
#[derive(Serialize, Deserialize)]
struct EntryHead {
    term: u64,
    length: u32,
}

impl AppendRequest {
    /// The request as one frame. Entry bytes are copied once, into the frame.
    pub(crate) fn encode(&self, group: GroupId) -> Bytes {
        let bodies: Vec<Bytes> = self
            .entries
            .iter()
            .map(|entry| encode_entry(&entry.payload))
            .collect();
        let head = AppendHead {
            vote: (&self.vote).into(),
            previous: self.previous.as_ref().map(Into::into),
            committed: self.committed.as_ref().map(Into::into),
            entries: self
                .entries
                .iter()
                .zip(&bodies)
                .map(|(entry, body)| EntryHead {
                    term: term_of(&entry.log_id),
                    length: u32::try_from(body.len()).expect("a frame is far below 4 GiB"),
                })
                .collect(),
        };
        let length: usize = bodies.iter().map(Bytes::len).sum();
        let capacity = 64 + 16 * bodies.len() + length;
        let mut frame = put(request_head(Kind::Append, group, capacity), &head);
        for body in &bodies {
            frame.extend_from_slice(body);
        }
        frame.into()
    }

    /// Decodes a frame and checks what openraft takes for granted: a leader's vote, consecutive
    /// indexes, terms that never fall and never pass the leader's.
    pub(crate) fn decode(frame: &Bytes) -> Result<Self, Malformed> {
        let (head, mut rest) = take::<AppendHead>(open_request(Kind::Append, frame)?)?;
        if head.entries.len() > APPEND_ENTRIES_MAX {
            return Err(Malformed::Rule("too many entries"));
        }
        let vote: Vote = head.vote.try_into()?;
        if !vote.is_committed() {
            return Err(Malformed::Rule("entries from one who does not lead"));
        }
        let leader_term = vote.leader_id().term;
        let previous: Option<LogId> = head.previous.map(TryInto::try_into).transpose()?;
        let mut term = previous.map_or(0, |id| term_of(&id));
        let first = previous.map_or(0, |id| id.index() + 1);
        let mut entries = Vec::with_capacity(head.entries.len());
        for (index, entry) in (first..).zip(head.entries) {
            let length = usize::try_from(entry.length).map_err(|_| Malformed::Body)?;
            let body = rest.get(..length).ok_or(Malformed::Short(rest.len()))?;
            rest = &rest[length..];
            if entry.term < term || entry.term > leader_term || index > COUNTER_MAX {
                return Err(Malformed::Rule("entries out of order"));
            }
            term = entry.term;
            entries.push(Entry {
                log_id: log_id(term, index),
                payload: decode_entry(&frame.slice_ref(body))?,
            });
        }
        if !rest.is_empty() {
            return Err(Malformed::Rule("bytes follow the entries"));
        }
        Ok(Self {
            vote,
            previous,
            committed: head.committed.map(TryInto::try_into).transpose()?,
            entries,
        })
    }
}

/// What a follower says to an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppendAnswer {
    /// All entries are durable.
    Stored,
    /// The entries up to here are durable.
    StoredUpTo(Option<LogId>),
    /// The follower's log does not hold `previous`.
    Conflict,
    /// The follower knows of a higher vote.
    HigherVote(Vote),
}

#[derive(Serialize, Deserialize)]
enum AppendAnswerRecord {
    Stored,
    StoredUpTo(Option<LogIdRecord>),
    Conflict,
    HigherVote(VoteRecord),
}

impl AppendAnswer {
    pub(crate) fn encode(&self) -> Bytes {
        let record = match self {
            Self::Stored => AppendAnswerRecord::Stored,
            Self::StoredUpTo(id) => AppendAnswerRecord::StoredUpTo(id.as_ref().map(Into::into)),
            Self::Conflict => AppendAnswerRecord::Conflict,
            Self::HigherVote(vote) => AppendAnswerRecord::HigherVote(vote.into()),
        };
        encode(Kind::AppendAnswer, &record).into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match decode(Kind::AppendAnswer, bytes)? {
            AppendAnswerRecord::Stored => Self::Stored,
            AppendAnswerRecord::StoredUpTo(id) => {
                Self::StoredUpTo(id.map(TryInto::try_into).transpose()?)
            }
            AppendAnswerRecord::Conflict => Self::Conflict,
            AppendAnswerRecord::HigherVote(vote) => Self::HigherVote(vote.try_into()?),
        })
    }
}
