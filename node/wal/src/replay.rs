//! Rebuilds the groups and the local records from the records of a checkpoint and of the segments,
//! taken in order.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tongban_types::GroupId;

use crate::damage::Damage;
use crate::format::{Record, decode_changes};
use crate::index::{GroupLog, Marks, Place, Purged, Slot};
use crate::tables::Tables;

#[derive(Debug, Default)]
struct ReplayedGroup {
    marks: Marks,
    /// Index to term and place. A map, since moved entries come behind later ones.
    entries: BTreeMap<u64, (u64, Place)>,
}

/// What the records so far amount to. A checkpoint may be newer than the first segments that are
/// left; that does no harm, since each fact in it that they change back is changed forth again by
/// the later record that the checkpoint had it from.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    groups: BTreeMap<GroupId, ReplayedGroup>,
    tables: Tables,
}

/// All records replayed.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) groups: BTreeMap<GroupId, GroupLog>,
    pub(crate) tables: Tables,
    /// Bytes of live entries a segment.
    pub(crate) live_bytes: BTreeMap<u64, u64>,
}

impl Replay {
    /// Takes the next record; `Err` says why it cannot be one of a log.
    pub(crate) fn accept(&mut self, record: Record, place: Option<Place>) -> Result<(), Damage> {
        match record {
            Record::Entry {
                group, index, term, ..
            } => {
                let group = self.groups.entry(group).or_default();
                // An entry is appended only behind the last one: none can be at or behind it.
                group.entries.split_off(&index);
                group.put(index, term, place)
            }
            Record::Moved {
                group, index, term, ..
            } => self
                .groups
                .entry(group)
                .or_default()
                .put(index, term, place),
            Record::Vote { group, bytes } => {
                self.groups.entry(group).or_default().marks.vote = Some(own(&bytes));
                Ok(())
            }
            Record::Truncate { group, last } => {
                let group = self.groups.entry(group).or_default();
                match last.map(|last| last.checked_add(1)) {
                    None => group.entries.clear(),
                    Some(Some(first_gone)) => drop(group.entries.split_off(&first_gone)),
                    Some(None) => {}
                }
                Ok(())
            }
            Record::Purge { group, upto, meta } => {
                self.groups.entry(group).or_default().purge(upto, &meta);
                Ok(())
            }
            Record::Committed { group, bytes } => {
                self.groups.entry(group).or_default().marks.committed = Some(own(&bytes));
                Ok(())
            }
            Record::Local { changes } => {
                let changes = decode_changes(&changes).ok_or(Damage::LocalChanges)?;
                for change in changes {
                    self.tables.apply(change);
                }
                Ok(())
            }
            Record::End { .. } => Err(Damage::CheckpointRecordInSegment),
        }
    }

    /// Checks that every group's entries have no gap and gives everything out.
    pub(crate) fn finish(self) -> Result<Replayed, Damage> {
        let mut live_bytes = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for (id, group) in self.groups {
            for (_, place) in group.entries.values() {
                *live_bytes.entry(place.segment).or_insert(0) += u64::from(place.extent.length);
            }
            groups.insert(id, group.finish()?);
        }
        Ok(Replayed {
            groups,
            tables: self.tables,
            live_bytes,
        })
    }
}

impl ReplayedGroup {
    fn put(&mut self, index: u64, term: u64, place: Option<Place>) -> Result<(), Damage> {
        let place = place.ok_or(Damage::EntryInCheckpoint)?;
        if index == u64::MAX {
            return Err(Damage::LastIndex);
        }
        if self
            .marks
            .purged
            .as_ref()
            .is_none_or(|purged| index > purged.upto)
        {
            self.entries.insert(index, (term, place));
        }
        Ok(())
    }

    fn purge(&mut self, upto: u64, meta: &Bytes) {
        if self
            .marks
            .purged
            .as_ref()
            .is_some_and(|purged| purged.upto >= upto)
        {
            return;
        }
        self.entries = self.entries.split_off(&upto.saturating_add(1));
        self.marks.purged = Some(Purged {
            upto,
            meta: own(meta),
        });
    }

    fn finish(self) -> Result<GroupLog, Damage> {
        let first = self.entries.keys().next().copied().unwrap_or(0);
        let mut slots = VecDeque::with_capacity(self.entries.len());
        let expected = self
            .marks
            .purged
            .as_ref()
            .map(|purged| purged.upto.saturating_add(1));
        if !self.entries.is_empty() && expected.is_some_and(|expected| expected != first) {
            return Err(Damage::GapBehindPurged);
        }
        for (position, (index, (term, place))) in self.entries.into_iter().enumerate() {
            if index != first + position as u64 {
                return Err(Damage::GapBetween);
            }
            slots.push_back(Slot {
                term,
                id: 0,
                place: Some(place),
                bytes: None,
            });
        }
        Ok(GroupLog::recovered(first, slots, self.marks))
    }
}

/// A copy that does not keep the whole segment in memory.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tongban_types::CityCode;

    use super::*;
    use crate::format::Extent;

    fn group() -> GroupId {
        GroupId(CityCode::new(350_100).unwrap())
    }

    fn place(segment: u64) -> Place {
        Place {
            segment,
            extent: Extent {
                offset: 512,
                length: 40,
            },
        }
    }

    fn entry(index: u64) -> Record {
        Record::Entry {
            group: group(),
            index,
            term: 1,
            bytes: Bytes::new(),
        }
    }

    fn moved(index: u64) -> Record {
        Record::Moved {
            group: group(),
            index,
            term: 1,
            bytes: Bytes::new(),
        }
    }

    fn replayed(records: Vec<(Record, u64)>) -> Result<Replayed, Damage> {
        let mut replay = Replay::default();
        for (record, segment) in records {
            replay.accept(record, Some(place(segment)))?;
        }
        replay.finish()
    }

    #[test]
    fn a_moved_entry_is_found_behind_later_ones() {
        let records = vec![(entry(3), 5), (moved(1), 5), (moved(2), 6)];
        let found = replayed(records).unwrap();
        assert_eq!(found.groups[&group()].range(0, 9).count(), 3);
        assert_eq!(found.live_bytes, BTreeMap::from([(5, 80), (6, 40)]));
    }

    #[test]
    fn a_gap_is_not_a_log() {
        assert!(replayed(vec![(entry(1), 1), (entry(3), 1)]).is_err());
        let purge = Record::Purge {
            group: group(),
            upto: 4,
            meta: Bytes::new(),
        };
        assert!(replayed(vec![(purge.clone(), 1), (entry(7), 1)]).is_err());
        assert!(replayed(vec![(purge, 1), (entry(5), 1)]).is_ok());
    }

    fn any_record() -> impl Strategy<Value = Record> {
        let index = prop_oneof![0..6_u64, u64::MAX - 2..=u64::MAX];
        (0..8_u8, index, proptest::collection::vec(0..4_u8, 0..24)).prop_map(
            |(kind, index, bytes)| {
                let (group, bytes) = (group(), Bytes::from(bytes));
                match kind {
                    0 | 1 => entry(index),
                    2 => moved(index),
                    3 => Record::Truncate {
                        group,
                        last: Some(index),
                    },
                    4 => Record::Truncate { group, last: None },
                    5 => Record::Purge {
                        group,
                        upto: index,
                        meta: bytes,
                    },
                    6 => Record::Local { changes: bytes },
                    _ => Record::End { count: index },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn no_sequence_of_whole_records_makes_replaying_panic(
            records in proptest::collection::vec((any_record(), 1..4_u64), 0..20),
        ) {
            if let Ok(found) = replayed(records) {
                for log in found.groups.values() {
                    let entries = log.range(0, u64::MAX).count();
                    prop_assert_eq!(entries > 0, log.last().is_some());
                }
            }
        }
    }
}
