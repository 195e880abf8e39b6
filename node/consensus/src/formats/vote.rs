//! Requests for a vote (Raft §5.2) or a pre-vote (dissertation §9.6), and their answers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tongban_types::GroupId;

use super::records::{LogIdRecord, VoteRecord};
use super::{Kind, Malformed, decode, encode, open_request, put, request_head, take_whole};
use crate::raft_types::{LogId, Vote};

/// A candidate asks for a vote, or whether it would get one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BallotRequest {
    /// The term it stands in and who it is.
    pub(crate) vote: Vote,
    /// The end of its log.
    pub(crate) last: Option<LogId>,
    /// The leader itself asked it to stand.
    pub(crate) handed_over: bool,
    /// Only asks whether it would get the vote: nothing is stored.
    pub(crate) only_asking: bool,
}

#[derive(Serialize, Deserialize)]
struct BallotRecord {
    vote: VoteRecord,
    last: Option<LogIdRecord>,
    handed_over: bool,
    only_asking: bool,
}

impl BallotRequest {
    pub(crate) fn encode(&self, group: GroupId) -> Bytes {
        let record = BallotRecord {
            vote: (&self.vote).into(),
            last: self.last.as_ref().map(Into::into),
            handed_over: self.handed_over,
            only_asking: self.only_asking,
        };
        put(request_head(Kind::Ballot, group, 64), &record).into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let record: BallotRecord = take_whole(open_request(Kind::Ballot, bytes)?)?;
        let vote: Vote = record.vote.try_into()?;
        if vote.is_committed() {
            return Err(Malformed::Rule("a candidate that already leads"));
        }
        Ok(Self {
            vote,
            last: record.last.map(TryInto::try_into).transpose()?,
            handed_over: record.handed_over,
            only_asking: record.only_asking,
        })
    }
}

/// The answer of a voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BallotAnswer {
    /// The voter's own vote after the request.
    pub(crate) vote: Vote,
    /// The end of its log.
    pub(crate) last: Option<LogId>,
    /// Whether it grants the vote.
    pub(crate) granted: bool,
}

#[derive(Serialize, Deserialize)]
struct BallotAnswerRecord {
    vote: VoteRecord,
    last: Option<LogIdRecord>,
    granted: bool,
}

impl BallotAnswer {
    pub(crate) fn encode(&self) -> Bytes {
        let record = BallotAnswerRecord {
            vote: (&self.vote).into(),
            last: self.last.as_ref().map(Into::into),
            granted: self.granted,
        };
        encode(Kind::BallotAnswer, &record).into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let record: BallotAnswerRecord = decode(Kind::BallotAnswer, bytes)?;
        Ok(Self {
            vote: record.vote.try_into()?,
            last: record.last.map(TryInto::try_into).transpose()?,
            granted: record.granted,
        })
    }
}
