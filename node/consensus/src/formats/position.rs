//! What a replicated state holds: the last log id applied and the membership as of there. The state
//! keeps it as opaque bytes and gives it back at restart.

use serde::{Deserialize, Serialize};

use super::records::{LogIdRecord, StoredMembershipRecord};
use super::{Kind, Malformed, decode, encode};
use crate::raft_types::{LogId, SnapshotMeta, StoredMembership};

/// How far a state has been applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) applied: Option<LogId>,
    pub(crate) membership: StoredMembership,
}

#[derive(Serialize, Deserialize)]
struct PositionRecord {
    applied: Option<LogIdRecord>,
    membership: StoredMembershipRecord,
}

impl Position {
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(
            Kind::Position,
            &PositionRecord {
                applied: self.applied.as_ref().map(Into::into),
                membership: (&self.membership).into(),
            },
        )
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let record: PositionRecord = decode(Kind::Position, bytes)?;
        Ok(Self {
            applied: record.applied.map(TryInto::try_into).transpose()?,
            membership: record.membership.try_into()?,
        })
    }
}

impl From<Position> for SnapshotMeta {
    fn from(position: Position) -> Self {
        Self {
            last_log_id: position.applied,
            last_membership: position.membership,
        }
    }
}

impl From<&SnapshotMeta> for Position {
    fn from(meta: &SnapshotMeta) -> Self {
        Self {
            applied: meta.last_log_id,
            membership: meta.last_membership.clone(),
        }
    }
}
