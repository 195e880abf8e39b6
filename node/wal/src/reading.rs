//! Finds entries in memory or on disk, and reads them back from segments. What does not check is an
//! error, never other bytes.

use std::io;
use std::ops::{Bound, RangeBounds};

use bytes::Bytes;
use tongban_runtime::seams::DiskFile;
use tongban_types::GroupId;

use crate::format::{ENTRY_OVERHEAD, Extent, Record, salted};
use crate::state::State;

/// An entry that is no longer in memory.
#[derive(Clone, Debug)]
pub(crate) struct Stored<F> {
    pub(crate) file: F,
    pub(crate) salt: u64,
    pub(crate) extent: Extent,
}

/// Reads the entry and checks that it is the one that is meant.
pub(crate) fn read_stored<F: DiskFile>(
    stored: &Stored<F>,
    group: GroupId,
    index: u64,
    term: u64,
) -> io::Result<Bytes> {
    let mut buffer = vec![0; stored.extent.length as usize];
    stored.file.read_at(stored.extent.offset, &mut buffer)?;
    match Record::decode(&Bytes::from(buffer), salted(stored.salt)) {
        Some((
            Record::Entry {
                group: of,
                index: at,
                term: in_term,
                bytes,
            }
            | Record::Moved {
                group: of,
                index: at,
                term: in_term,
                bytes,
            },
            _,
        )) if (of, at, in_term) == (group, index, term) => Ok(bytes),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("entry {index} of {group} is damaged on disk"),
        )),
    }
}

/// Where an entry's bytes are to be had.
pub(crate) enum Source<F> {
    Memory(Bytes),
    Disk(Stored<F>),
}

impl<F: Clone> State<F> {
    /// Where the entries of a range are that exist: at least one, then up to `bytes_max`.
    pub(crate) fn find(
        &self,
        group: GroupId,
        range: &impl RangeBounds<u64>,
        bytes_max: u64,
    ) -> Vec<(u64, u64, Source<F>)> {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let until = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(until) => *until,
            Bound::Unbounded => u64::MAX,
        };
        let mut found = Vec::new();
        let mut bytes = 0;
        let Some(log) = self.groups.get(&group) else {
            return found;
        };
        for (index, slot) in log.range(from, until) {
            let (length, source) = match (&slot.bytes, slot.place) {
                (Some(bytes), _) => (bytes.len(), Source::Memory(bytes.clone())),
                (None, Some(place)) => {
                    let segment = &self.segments[&place.segment];
                    let stored = Stored {
                        file: segment.file.clone(),
                        salt: segment.salt,
                        extent: place.extent,
                    };
                    let length = place.extent.length as usize - ENTRY_OVERHEAD;
                    (length, Source::Disk(stored))
                }
                (None, None) => unreachable!("bytes are kept until the entry has a place"),
            };
            bytes += length as u64;
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push((index, slot.term, source));
        }
        found
    }
}
