//! The small records the others are made of: votes, log ids, memberships.

use std::collections::BTreeSet;

use bytes::Bytes;
use openraft::vote::RaftLeaderId;
use serde::{Deserialize, Serialize};

use super::{COUNTER_MAX, Kind, Malformed, decode, encode};
use crate::raft_types::{LogId, Membership, StoredMembership, Vote, log_id, membership, term_of};

/// More replicas than this a membership does not have: a group has 3 or 5 voters and some learners.
const REPLICAS_MAX: usize = 64;

/// A vote: who stands or leads in a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VoteRecord {
    term: u64,
    node: u64,
    committed: bool,
}

impl From<&Vote> for VoteRecord {
    fn from(vote: &Vote) -> Self {
        Self {
            term: vote.leader_id().term(),
            node: *vote.leader_id().node_id(),
            committed: vote.is_committed(),
        }
    }
}

impl TryFrom<VoteRecord> for Vote {
    type Error = Malformed;

    fn try_from(record: VoteRecord) -> Result<Self, Malformed> {
        let term = believed(record.term)?;
        Ok(if record.committed {
            Self::new_committed(term, record.node)
        } else {
            Self::new(term, record.node)
        })
    }
}

/// A log id: term and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogIdRecord {
    term: u64,
    index: u64,
}

impl From<&LogId> for LogIdRecord {
    fn from(id: &LogId) -> Self {
        Self {
            term: term_of(id),
            index: id.index(),
        }
    }
}

impl TryFrom<LogIdRecord> for LogId {
    type Error = Malformed;

    fn try_from(record: LogIdRecord) -> Result<Self, Malformed> {
        Ok(log_id(believed(record.term)?, believed(record.index)?))
    }
}

/// A membership: one set of voters, or two while it changes, and every replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MembershipRecord {
    voters: Vec<Vec<u64>>,
    replicas: Vec<u64>,
}

impl From<&Membership> for MembershipRecord {
    fn from(membership: &Membership) -> Self {
        let configs = membership.get_joint_config();
        Self {
            voters: configs
                .iter()
                .map(|set| set.iter().copied().collect())
                .collect(),
            replicas: membership.nodes().map(|(node, _)| *node).collect(),
        }
    }
}

impl TryFrom<MembershipRecord> for Membership {
    type Error = Malformed;

    fn try_from(record: MembershipRecord) -> Result<Self, Malformed> {
        if record.replicas.len() > REPLICAS_MAX || record.voters.len() > 2 {
            return Err(Malformed::Rule("a membership of too many"));
        }
        let configs: Vec<BTreeSet<u64>> = record
            .voters
            .into_iter()
            .map(|set| set.into_iter().collect())
            .collect();
        // The membership before any was written has no set of voters; only there is that right.
        if configs.is_empty() && record.replicas.is_empty() {
            return Ok(Self::default());
        }
        if configs.is_empty() {
            return Err(Malformed::Rule("a membership without voters"));
        }
        membership(configs, record.replicas)
            .map_err(|_| Malformed::Rule("a membership that holds no group"))
    }
}

/// A membership and where in the log it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredMembershipRecord {
    at: Option<LogIdRecord>,
    membership: MembershipRecord,
}

impl From<&StoredMembership> for StoredMembershipRecord {
    fn from(stored: &StoredMembership) -> Self {
        Self {
            at: stored.log_id().as_ref().map(Into::into),
            membership: stored.membership().into(),
        }
    }
}

impl TryFrom<StoredMembershipRecord> for StoredMembership {
    type Error = Malformed;

    fn try_from(record: StoredMembershipRecord) -> Result<Self, Malformed> {
        let at = record.at.map(TryInto::try_into).transpose()?;
        Ok(Self::new(at, record.membership.try_into()?))
    }
}

fn believed(counter: u64) -> Result<u64, Malformed> {
    if counter > COUNTER_MAX {
        return Err(Malformed::Rule("a term or index that cannot be"));
    }
    Ok(counter)
}

/// The vote as the log keeps it.
pub(crate) fn encode_vote(vote: &Vote) -> Bytes {
    encode(Kind::Vote, &VoteRecord::from(vote)).into()
}

/// A vote the log kept.
pub(crate) fn decode_vote(bytes: &[u8]) -> Result<Vote, Malformed> {
    decode::<VoteRecord>(Kind::Vote, bytes)?.try_into()
}

/// A log id as the log keeps it.
pub(crate) fn encode_log_id(id: Option<&LogId>) -> Bytes {
    encode(Kind::LogId, &id.map(LogIdRecord::from)).into()
}

/// A log id the log kept.
pub(crate) fn decode_log_id(bytes: &[u8]) -> Result<Option<LogId>, Malformed> {
    decode::<Option<LogIdRecord>>(Kind::LogId, bytes)?
        .map(TryInto::try_into)
        .transpose()
}
