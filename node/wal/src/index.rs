//! What is known of one Raft group in memory: where its entries lie, and its marks.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::format::Extent;

/// A Raft entry as the log keeps it: its bytes mean nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its index, consecutive within a group.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// Its bytes; shared with the caller's, never copied but into the batch that is written.
    pub bytes: Bytes,
}

/// Where an entry lies on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) extent: Extent,
}

/// One entry in memory.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) term: u64,
    /// The number of the record that carried it: tells it from a later entry at the same index.
    pub(crate) id: u64,
    /// `None` until it is durable.
    pub(crate) place: Option<Place>,
    /// `None` once the cache let go of it; never while it has no place.
    pub(crate) bytes: Option<Bytes>,
}

/// Up to where a group's entries are gone, and what its owner wants to remember of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Purged {
    pub(crate) upto: u64,
    pub(crate) meta: Bytes,
}

/// What is kept of a group beside its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) vote: Option<Bytes>,
    pub(crate) committed: Option<Bytes>,
    pub(crate) purged: Option<Purged>,
}

/// A group: its entries without a gap, its marks as they are durable, and those that run ahead.
#[derive(Debug, Default)]
pub(crate) struct GroupLog {
    first: u64,
    slots: VecDeque<Slot>,
    /// What would be read back after a crash now, at least.
    pub(crate) durable: Marks,
    /// As last saved, written or not.
    pub(crate) committed: Option<Bytes>,
    /// As last asked for, written or not.
    pub(crate) purged: Option<Purged>,
}

impl GroupLog {
    pub(crate) fn recovered(first: u64, slots: VecDeque<Slot>, marks: Marks) -> Self {
        Self {
            first,
            slots,
            committed: marks.committed.clone(),
            purged: marks.purged.clone(),
            durable: marks,
        }
    }

    /// The index behind the last entry, if there is one.
    fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// The index the next entry must have; `None` in a group that never had one.
    pub(crate) fn next_index(&self) -> Option<u64> {
        if self.slots.is_empty() {
            self.purged
                .as_ref()
                .map(|purged| purged.upto.saturating_add(1))
        } else {
            Some(self.end())
        }
    }

    /// Adds the entry at `next_index`, or anywhere in a group that never had one.
    pub(crate) fn push(&mut self, index: u64, slot: Slot) {
        if self.slots.is_empty() {
            self.first = index;
        }
        self.slots.push_back(slot);
    }

    pub(crate) fn last(&self) -> Option<(u64, u64)> {
        self.slots.back().map(|slot| (self.end() - 1, slot.term))
    }

    pub(crate) fn slot(&self, index: u64) -> Option<&Slot> {
        let position = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.slots.get(position)
    }

    pub(crate) fn slot_mut(&mut self, index: u64) -> Option<&mut Slot> {
        let position = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(position)
    }

    /// The entries with `from <= index < until`, with their indexes.
    pub(crate) fn range(&self, from: u64, until: u64) -> impl Iterator<Item = (u64, &Slot)> {
        let from = from.max(self.first);
        let until = until.min(self.end());
        let skipped = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        (from..until).zip(self.slots.iter().skip(skipped))
    }

    /// Removes and returns the entries behind `last`, all of them for `None`.
    pub(crate) fn truncate_after(&mut self, last: Option<u64>) -> VecDeque<Slot> {
        let kept = last.map_or(0, |last| last.saturating_add(1).saturating_sub(self.first));
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        self.slots.split_off(kept.min(self.slots.len()))
    }

    /// Removes and returns the entries up to `purged.upto`. A mark never moves back.
    pub(crate) fn purge(&mut self, purged: Purged) -> VecDeque<Slot> {
        let gone = purged.upto.saturating_add(1).saturating_sub(self.first);
        let gone = usize::try_from(gone)
            .unwrap_or(usize::MAX)
            .min(self.slots.len());
        let kept = self.slots.split_off(gone);
        self.first += gone as u64;
        self.purged = Some(purged);
        std::mem::replace(&mut self.slots, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(indexes: std::ops::Range<u64>) -> GroupLog {
        let mut log = GroupLog::default();
        for index in indexes {
            log.push(
                index,
                Slot {
                    term: 1,
                    id: index,
                    place: None,
                    bytes: Some(Bytes::new()),
                },
            );
        }
        log
    }

    fn upto(upto: u64) -> Purged {
        Purged {
            upto,
            meta: Bytes::new(),
        }
    }

    #[test]
    fn truncation_and_purge_take_what_they_name() {
        let mut log = log_of(5..15);
        assert_eq!(log.truncate_after(Some(11)).len(), 3);
        assert_eq!(log.last(), Some((11, 1)));
        assert_eq!(log.purge(upto(7)).len(), 3);
        assert_eq!(
            log.range(0, 99).map(|(index, _)| index).collect::<Vec<_>>(),
            [8, 9, 10, 11]
        );
        assert_eq!(log.slot(8).map(|slot| slot.id), Some(8));
        assert!(log.slot(7).is_none() && log.slot(12).is_none());
        assert_eq!(log.truncate_after(Some(2)).len(), 4);
        assert_eq!((log.last(), log.next_index()), (None, Some(8)));
    }

    #[test]
    fn a_purge_beyond_the_end_leaves_an_empty_log_that_goes_on_behind_it() {
        let mut log = log_of(0..3);
        assert_eq!(log.purge(upto(200)).len(), 3);
        assert_eq!(log.next_index(), Some(201));
        assert_eq!(log.range(0, 300).count(), 0);
    }
}
