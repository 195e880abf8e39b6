//! A leader hands over (dissertation §3.10): the request to stand at once, and its answer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tongban_types::GroupId;

use super::records::{LogIdRecord, VoteRecord};
use super::{Kind, Malformed, decode, encode, open_request, put, request_head, take_whole};
use crate::raft_types::{LogId, Vote};

/// The leader names its successor to every voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferRequest {
    /// Who leads.
    pub(crate) from: Vote,
    /// Who shall.
    pub(crate) to: u64,
    /// The log the successor must hold first.
    pub(crate) last: Option<LogId>,
}

#[derive(Serialize, Deserialize)]
struct TransferRecord {
    from: VoteRecord,
    to: u64,
    last: Option<LogIdRecord>,
}

impl TransferRequest {
    pub(crate) fn encode(&self, group: GroupId) -> Bytes {
        let record = TransferRecord {
            from: (&self.from).into(),
            to: self.to,
            last: self.last.as_ref().map(Into::into),
        };
        put(request_head(Kind::Transfer, group, 64), &record).into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let record: TransferRecord = take_whole(open_request(Kind::Transfer, bytes)?)?;
        let from: Vote = record.from.try_into()?;
        if !from.is_committed() {
            return Err(Malformed::Rule("a hand-over by one who does not lead"));
        }
        Ok(Self {
            from,
            to: record.to,
            last: record.last.map(TryInto::try_into).transpose()?,
        })
    }
}

/// What a voter says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferAnswer {
    /// It stands, or waits for the one named to stand.
    Accepted,
    /// It knows of another vote.
    VoteChanged { expected: Vote, actual: Vote },
    /// It does not hold the log in time.
    LogBehind {
        expected: Option<LogId>,
        actual: Option<LogId>,
    },
}

#[derive(Serialize, Deserialize)]
enum TransferAnswerRecord {
    Accepted,
    VoteChanged(VoteRecord, VoteRecord),
    LogBehind(Option<LogIdRecord>, Option<LogIdRecord>),
}

impl TransferAnswer {
    pub(crate) fn encode(&self) -> Bytes {
        let record = match self {
            Self::Accepted => TransferAnswerRecord::Accepted,
            Self::VoteChanged { expected, actual } => {
                TransferAnswerRecord::VoteChanged(expected.into(), actual.into())
            }
            Self::LogBehind { expected, actual } => TransferAnswerRecord::LogBehind(
                expected.as_ref().map(Into::into),
                actual.as_ref().map(Into::into),
            ),
        };
        encode(Kind::TransferAnswer, &record).into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match decode(Kind::TransferAnswer, bytes)? {
            TransferAnswerRecord::Accepted => Self::Accepted,
            TransferAnswerRecord::VoteChanged(expected, actual) => Self::VoteChanged {
                expected: expected.try_into()?,
                actual: actual.try_into()?,
            },
            TransferAnswerRecord::LogBehind(expected, actual) => Self::LogBehind {
                expected: expected.map(TryInto::try_into).transpose()?,
                actual: actual.map(TryInto::try_into).transpose()?,
            },
        })
    }
}
