//! Records: length u32 of what follows the checksum, checksum u32 over it, kind u8, group u32 (0
//! for the node's own records), then the body of the kind.

use bytes::Bytes;
use tongban_types::{CityCode, GroupId};

use super::Cursor;
use crate::config::RECORD_BYTES_MAX;

/// Length, checksum, kind and group.
const HEADER_BYTES: usize = 13;
const FRAME_BYTES: usize = 8;

/// What an entry record is larger than the entry's bytes.
pub(crate) const ENTRY_OVERHEAD: usize = HEADER_BYTES + 16;

/// One step of the log. Numbers of kinds are permanent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Kind 1: a Raft entry behind the last one of its group. Index u64, term u64, bytes.
    Entry {
        group: GroupId,
        index: u64,
        term: u64,
        bytes: Bytes,
    },
    /// Kind 2: a live entry written again, so that its old segment can go. As kind 1.
    Moved {
        group: GroupId,
        index: u64,
        term: u64,
        bytes: Bytes,
    },
    /// Kind 3: the vote of a group. Bytes.
    Vote { group: GroupId, bytes: Bytes },
    /// Kind 4: entries behind `last` are gone. 1 and index u64, or 0 when all are gone.
    Truncate { group: GroupId, last: Option<u64> },
    /// Kind 5: entries up to and with `upto` are gone. Index u64, bytes.
    Purge {
        group: GroupId,
        upto: u64,
        meta: Bytes,
    },
    /// Kind 6: how far a group is known committed. Bytes.
    Committed { group: GroupId, bytes: Bytes },
    /// Kind 7: changes of the node's own records, all or nothing.
    Local { changes: Bytes },
    /// Kind 8: the last record of a checkpoint. How many records came before it u64.
    End { count: u64 },
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// From the start of the file.
    pub(crate) offset: u64,
    /// With its header.
    pub(crate) length: u32,
}

impl Record {
    fn kind(&self) -> u8 {
        match self {
            Self::Entry { .. } => 1,
            Self::Moved { .. } => 2,
            Self::Vote { .. } => 3,
            Self::Truncate { .. } => 4,
            Self::Purge { .. } => 5,
            Self::Committed { .. } => 6,
            Self::Local { .. } => 7,
            Self::End { .. } => 8,
        }
    }

    fn group(&self) -> u32 {
        match self {
            Self::Entry { group, .. }
            | Self::Moved { group, .. }
            | Self::Vote { group, .. }
            | Self::Truncate { group, .. }
            | Self::Purge { group, .. }
            | Self::Committed { group, .. } => group.city().number(),
            Self::Local { .. } | Self::End { .. } => 0,
        }
    }

    /// How many bytes it takes on disk.
    pub(crate) fn encoded_len(&self) -> usize {
        HEADER_BYTES
            + match self {
                Self::Entry { bytes, .. } | Self::Moved { bytes, .. } => 16 + bytes.len(),
                Self::Vote { bytes, .. } | Self::Committed { bytes, .. } => bytes.len(),
                Self::Truncate { last, .. } => 1 + if last.is_some() { 8 } else { 0 },
                Self::Purge { meta, .. } => 8 + meta.len(),
                Self::Local { changes } => changes.len(),
                Self::End { .. } => 8,
            }
    }

    /// Appends the record; `salted` begins its checksum.
    pub(crate) fn encode(&self, salted: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let length = u32::try_from(self.encoded_len() - FRAME_BYTES)
            .expect("records beyond 16 MiB are refused before they are queued");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.push(self.kind());
        out.extend_from_slice(&self.group().to_le_bytes());
        match self {
            Self::Entry {
                index, term, bytes, ..
            }
            | Self::Moved {
                index, term, bytes, ..
            } => {
                out.extend_from_slice(&index.to_le_bytes());
                out.extend_from_slice(&term.to_le_bytes());
                out.extend_from_slice(bytes);
            }
            Self::Vote { bytes, .. } | Self::Committed { bytes, .. } => {
                out.extend_from_slice(bytes);
            }
            Self::Truncate { last, .. } => {
                out.push(u8::from(last.is_some()));
                if let Some(last) = last {
                    out.extend_from_slice(&last.to_le_bytes());
                }
            }
            Self::Purge { upto, meta, .. } => {
                out.extend_from_slice(&upto.to_le_bytes());
                out.extend_from_slice(meta);
            }
            Self::Local { changes } => out.extend_from_slice(changes),
            Self::End { count } => out.extend_from_slice(&count.to_le_bytes()),
        }
        let checksum = crc32c::crc32c_append(salted, &out[start + FRAME_BYTES..]);
        out[start + 4..start + FRAME_BYTES].copy_from_slice(&checksum.to_le_bytes());
    }

    /// Reads the record at the front of `bytes` and how many bytes it took; `None` if it is not
    /// whole. Its own bytes share `bytes`.
    pub(crate) fn decode(bytes: &Bytes, salted: u32) -> Option<(Self, usize)> {
        let mut cursor = Cursor(bytes);
        let length = usize::try_from(cursor.u32()?).ok()?;
        let checksum = cursor.u32()?;
        if length > RECORD_BYTES_MAX {
            return None;
        }
        let checked = cursor.take(length)?;
        if crc32c::crc32c_append(salted, checked) != checksum {
            return None;
        }
        let record = Self::decode_checked(bytes, checked)?;
        Some((record, FRAME_BYTES + length))
    }

    fn decode_checked(whole: &Bytes, checked: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(checked);
        let kind = cursor.u8()?;
        let group = cursor.u32()?;
        if kind >= 7 {
            return match (kind, group) {
                (7, 0) => Some(Self::Local {
                    changes: whole.slice_ref(cursor.0),
                }),
                (8, 0) => Some(Self::End {
                    count: cursor.u64().filter(|_| cursor.0.is_empty())?,
                }),
                _ => None,
            };
        }
        let group = GroupId(CityCode::new(group).ok()?);
        Some(match kind {
            1 | 2 => {
                let index = cursor.u64()?;
                let term = cursor.u64()?;
                let bytes = whole.slice_ref(cursor.0);
                if kind == 1 {
                    Self::Entry {
                        group,
                        index,
                        term,
                        bytes,
                    }
                } else {
                    Self::Moved {
                        group,
                        index,
                        term,
                        bytes,
                    }
                }
            }
            3 => Self::Vote {
                group,
                bytes: whole.slice_ref(cursor.0),
            },
            4 => {
                let last = match cursor.u8()? {
                    0 => None,
                    1 => Some(cursor.u64()?),
                    _ => return None,
                };
                if !cursor.0.is_empty() {
                    return None;
                }
                Self::Truncate { group, last }
            }
            5 => Self::Purge {
                group,
                upto: cursor.u64()?,
                meta: whole.slice_ref(cursor.0),
            },
            6 => Self::Committed {
                group,
                bytes: whole.slice_ref(cursor.0),
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
