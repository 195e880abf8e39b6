//! The bytes of a log entry. A proposal is stored and sent exactly as it was proposed, so that its
//! bytes are never copied; an entry Raft itself made starts with the kind of this room. A proposal
//! that happens to start with that kind is quoted behind it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::records::MembershipRecord;
use super::{Kind, Malformed, encode, kind_of, open, take};
use crate::raft_types::{Payload, Proposal};

/// What follows the head of an entry that is not a plain proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum EntryRecord {
    /// A new leader's first entry.
    Blank,
    /// A membership.
    Membership(MembershipRecord),
    /// A proposal whose own first bytes are the kind of this record; it follows.
    Quoted,
}

/// The bytes of an entry for the log and for the wire.
pub(crate) fn encode_entry(payload: &Payload) -> Bytes {
    let record = match payload {
        Payload::Normal(Proposal(bytes)) if kind_of(bytes) != Some(Kind::Entry as u16) => {
            return bytes.clone();
        }
        Payload::Normal(Proposal(bytes)) => {
            let mut quoted = encode(Kind::Entry, &EntryRecord::Quoted);
            quoted.extend_from_slice(bytes);
            return quoted.into();
        }
        Payload::Blank => EntryRecord::Blank,
        Payload::Membership(membership) => EntryRecord::Membership(membership.into()),
    };
    encode(Kind::Entry, &record).into()
}

/// The entry in these bytes; a proposal shares them.
pub(crate) fn decode_entry(bytes: &Bytes) -> Result<Payload, Malformed> {
    if kind_of(bytes) != Some(Kind::Entry as u16) {
        return Ok(Payload::Normal(Proposal(bytes.clone())));
    }
    let (record, rest) = take(open(Kind::Entry, bytes)?)?;
    match record {
        EntryRecord::Quoted => Ok(Payload::Normal(Proposal(bytes.slice_ref(rest)))),
        _ if !rest.is_empty() => Err(Malformed::Rule("bytes follow the entry")),
        EntryRecord::Blank => Ok(Payload::Blank),
        EntryRecord::Membership(record) => Ok(Payload::Membership(record.try_into()?)),
    }
}
