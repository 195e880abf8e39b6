//! What this room writes to disk and to the wire: postcard behind a `u16` kind and a `u16` version,
//! both little-endian; requests carry their group in front of the body. openraft's types are never
//! serialised as they are. Kinds are permanent, enum tags are only appended, and no decoder panics
//! on any bytes.

mod append;
mod entry;
#[cfg(test)]
mod golden;
mod position;
mod records;
mod snapshot;
mod transfer;
mod vote;

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use tongban_types::{CityCode, GroupId};

pub(crate) use append::{AppendAnswer, AppendRequest};
pub(crate) use entry::{decode_entry, encode_entry};
pub(crate) use position::Position;
pub(crate) use records::{decode_log_id, decode_vote, encode_log_id, encode_vote};
pub(crate) use snapshot::{PIECE_BYTES_MAX, SnapshotAnswer, SnapshotPiece};
pub(crate) use transfer::{TransferAnswer, TransferRequest};
pub(crate) use vote::{BallotAnswer, BallotRequest};

/// Terms and indexes beyond this are not believed: at a million a second they would take a hundred
/// thousand years, and arithmetic on them cannot overflow.
const COUNTER_MAX: u64 = 1 << 62;

/// Kinds of records of this room. Permanent; new ones are appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    /// On disk: the vote of this replica.
    Vote = 5101,
    /// On disk: a log id, of the commit or of the purge.
    LogId = 5102,
    /// On disk and in appends: an entry Raft itself made.
    Entry = 5103,
    /// With the state and in snapshots: what has been applied.
    Position = 5104,
    /// Request: append entries.
    Append = 5111,
    /// Answer to it.
    AppendAnswer = 5112,
    /// Request: a vote or a pre-vote.
    Ballot = 5113,
    /// Answer to it.
    BallotAnswer = 5114,
    /// Request: one piece of a snapshot.
    SnapshotPiece = 5115,
    /// Answer to it.
    SnapshotAnswer = 5116,
    /// Request: take over leadership.
    Transfer = 5117,
    /// Answer to it.
    TransferAnswer = 5118,
}

/// The only version there is so far of every kind.
const VERSION: u16 = 1;

/// Kind and version.
const HEAD_BYTES: usize = 4;

/// Why bytes are not a record of this room.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Malformed {
    #[error("{0} bytes are too few")]
    Short(usize),
    #[error("kind {found}, not {expected}")]
    Kind { expected: u16, found: u16 },
    #[error("version {0} is not known")]
    Version(u16),
    #[error("the body does not decode")]
    Body,
    #[error("{0}")]
    Rule(&'static str),
}

/// The group a Raft request is for, read without decoding the request: who hosts several groups
/// finds by it whom to hand the request to.
pub fn group_of(body: &[u8]) -> Option<GroupId> {
    let number: [u8; 4] = body.get(HEAD_BYTES..HEAD_BYTES + 4)?.try_into().ok()?;
    CityCode::new(u32::from_le_bytes(number)).ok().map(GroupId)
}

/// The kind a record says it is.
pub(crate) fn kind_of(bytes: &[u8]) -> Option<u16> {
    let kind: [u8; 2] = bytes.get(..2)?.try_into().ok()?;
    Some(u16::from_le_bytes(kind))
}

/// A buffer that starts with the head of `kind`.
fn head(kind: Kind, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + capacity);
    bytes.extend_from_slice(&(kind as u16).to_le_bytes());
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// A buffer that starts with the head of a request of `kind` in `group`.
fn request_head(kind: Kind, group: GroupId, capacity: usize) -> Vec<u8> {
    let mut bytes = head(kind, capacity + 4);
    bytes.extend_from_slice(&group.city().number().to_le_bytes());
    bytes
}

/// Appends a body.
fn put<T: Serialize>(bytes: Vec<u8>, body: &T) -> Vec<u8> {
    postcard::to_extend(body, bytes).expect("records hold no maps, floats or unsized sequences")
}

/// A whole record: head and body.
fn encode<T: Serialize>(kind: Kind, body: &T) -> Vec<u8> {
    put(head(kind, 64), body)
}

/// What follows the head, if the head is the one of `kind`.
fn open(kind: Kind, bytes: &[u8]) -> Result<&[u8], Malformed> {
    if bytes.len() < HEAD_BYTES {
        return Err(Malformed::Short(bytes.len()));
    }
    let (head, rest) = bytes.split_at(HEAD_BYTES);
    let found = u16::from_le_bytes([head[0], head[1]]);
    if found != kind as u16 {
        return Err(Malformed::Kind {
            expected: kind as u16,
            found,
        });
    }
    let version = u16::from_le_bytes([head[2], head[3]]);
    if version != VERSION {
        return Err(Malformed::Version(version));
    }
    Ok(rest)
}

/// What follows the head and the group of a request.
fn open_request(kind: Kind, bytes: &[u8]) -> Result<&[u8], Malformed> {
    open(kind, bytes)?
        .get(4..)
        .ok_or(Malformed::Short(bytes.len()))
}

/// Decodes a body that must end where the bytes end.
fn take_whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    match take(bytes)? {
        (body, []) => Ok(body),
        _ => Err(Malformed::Rule("bytes follow the body")),
    }
}

/// Decodes a body and returns what follows it.
fn take<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), Malformed> {
    postcard::take_from_bytes(bytes).map_err(|_| Malformed::Body)
}

fn decode<T: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<T, Malformed> {
    take_whole(open(kind, bytes)?)
}
