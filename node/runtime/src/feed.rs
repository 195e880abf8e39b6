//! What changed in a group, by log index, for whoever follows it: kept beside the state, written with
//! it and replayed with it, so that a place in it means the same after a restart. It is no part of
//! what the machine decides by: no hash covers it. The newest changes are kept, a bounded number of
//! entries; it goes with snapshots, and a replica filled from one without it begins anew.

use serde::{Deserialize, Serialize};
use tongban_machine::{Write, WriteSet, changed_cases};
use tongban_types::{CaseNumber, CaseState, CaseVersion, GroupId, Timestamp};

use crate::seams::{StateStore, StoreError};

/// Entries that are kept: a week of a city with a thousand applications a day.
pub(crate) const ENTRIES_KEPT: u64 = 50_000;

/// Changes under one key: well below what one value of applied state may have.
const CHANGES_OF_ONE_KEY: usize = 128;

/// Keys of the machine begin with letters.
const KEPT_FROM: &[u8] = &[0xFE, 3];
/// Where it stood as an index alone, which says nothing of the changes of one entry.
const KEPT_BEFORE: &[u8] = &[0xFE, 0];
const CHANGES: &[u8] = &[0xFE, 1];
const CHANGES_END: &[u8] = &[0xFE, 2];

/// A place in what changed: after the `part`-th change of the entry at `index`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChangePlace {
    /// Log index.
    pub index: u64,
    /// Which change of that entry, from 1; 0 before the first.
    pub part: u32,
}

/// A case as an entry left it: what stands in the clear, without anybody's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The case.
    pub case: CaseNumber,
    /// Its version from then on.
    pub version: CaseVersion,
    /// Its state from then on.
    pub state: CaseState,
    /// Since when it is in that state.
    pub since: Timestamp,
}

/// What changed behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// These, oldest first, each with the place behind it; where it is less than was asked for, there is
    /// no more yet.
    Held(Vec<(ChangePlace, Change)>),
    /// Some of what changed since is no longer held.
    Gone,
}

/// What of it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Everything behind this place is held: the last change that was forgotten.
    from: ChangePlace,
    /// Entries that are held.
    entries: u64,
}

/// Behind everything an entry changed.
const fn end_of(index: u64) -> ChangePlace {
    let part = u32::MAX;
    ChangePlace { index, part }
}

/// The feed of one group's replica.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Feed {
    kept: Option<Kept>,
}

impl Feed {
    /// The feed as it was stored with the state.
    pub(crate) fn open<S: StateStore>(store: &S, group: GroupId) -> Result<Self, StoreError> {
        let stored = store.get(group, KEPT_FROM)?;
        let kept = stored.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        if kept.is_some() {
            return Ok(Self { kept });
        }
        let before = store.get(group, KEPT_BEFORE)?;
        let before = before.and_then(|bytes| postcard::from_bytes::<(u64, u64)>(&bytes).ok());
        let kept = before.map(|(index, entries)| Kept {
            from: end_of(index),
            entries,
        });
        Ok(Self { kept })
    }

    /// Adds to an entry's writes what it changed, and forgets what is too old.
    pub(crate) fn note<S: StateStore>(
        &mut self,
        store: &S,
        group: GroupId,
        index: u64,
        writes: &mut WriteSet,
    ) -> Result<(), StoreError> {
        let changes: Vec<Change> = changed_cases(writes)
            .map(|record| Change {
                case: record.envelope.number,
                version: record.version,
                state: record.state,
                since: record.since,
            })
            .collect();
        self.keep(store, group, index, &changes, writes)
    }

    fn keep<S: StateStore>(
        &mut self,
        store: &S,
        group: GroupId,
        index: u64,
        changes: &[Change],
        writes: &mut WriteSet,
    ) -> Result<(), StoreError> {
        if changes.is_empty() && self.kept.is_some() {
            return Ok(());
        }
        let mut kept = self.kept.unwrap_or(Kept {
            from: match index {
                // Nothing was before it.
                0 | 1 => ChangePlace::default(),
                _ => end_of(index - 1),
            },
            entries: 0,
        });
        for (chunk, part) in changes.chunks(CHANGES_OF_ONE_KEY).enumerate() {
            let first = chunk * CHANGES_OF_ONE_KEY;
            let value = postcard::to_allocvec(&part).expect("changes always encode");
            writes.insert(key(index, first), Write::Put(value));
        }
        kept.entries += u64::from(!changes.is_empty());
        if kept.entries > ENTRIES_KEPT {
            kept.from = forget_oldest(store, group, writes)?.unwrap_or(kept.from);
            kept.entries -= 1;
        }
        let value = postcard::to_allocvec(&kept).expect("two numbers always encode");
        writes.insert(KEPT_FROM.to_vec(), Write::Put(value));
        self.kept = Some(kept);
        Ok(())
    }

    /// Whether everything behind a place is held.
    pub(crate) fn holds(self, after: ChangePlace) -> bool {
        self.kept.is_some_and(|kept| after >= kept.from)
    }

    /// What changed behind a place, at most `limit`.
    pub(crate) fn read<S: StateStore>(
        self,
        store: &S,
        group: GroupId,
        after: ChangePlace,
        limit: usize,
    ) -> Result<Changes, StoreError> {
        if !self.holds(after) {
            return Ok(Changes::Gone);
        }
        // The key that holds the next change may begin before it.
        let held = usize::try_from(after.part).unwrap_or(usize::MAX);
        let from = key(after.index, held - held % CHANGES_OF_ONE_KEY);
        let mut found = Vec::new();
        for (key, value) in store.scan(group, &from, CHANGES_END, limit)? {
            let broken = StoreError::Corrupt { what: "a change" };
            let Some(first) = place_of(&key) else {
                return Err(broken);
            };
            let Ok(changes) = postcard::from_bytes::<Vec<Change>>(&value) else {
                return Err(broken);
            };
            let placed = (first.part + 1..).zip(changes).map(|(part, change)| {
                let index = first.index;
                (ChangePlace { index, part }, change)
            });
            found.extend(placed.filter(|(place, _)| *place > after));
            if found.len() >= limit {
                found.truncate(limit);
                break;
            }
        }
        Ok(Changes::Held(found))
    }
}

fn key(index: u64, first: usize) -> Vec<u8> {
    let first = u32::try_from(first).unwrap_or(u32::MAX);
    [CHANGES, &index.to_be_bytes(), &first.to_be_bytes()].concat()
}

/// Before the first change of a key.
fn place_of(key: &[u8]) -> Option<ChangePlace> {
    let (index, first) = key.strip_prefix(CHANGES)?.split_at_checked(8)?;
    Some(ChangePlace {
        index: u64::from_be_bytes(index.try_into().ok()?),
        part: u32::from_be_bytes(first.try_into().ok()?),
    })
}

/// Forgets the oldest entry that is held; the place of its last change.
fn forget_oldest<S: StateStore>(
    store: &S,
    group: GroupId,
    writes: &mut WriteSet,
) -> Result<Option<ChangePlace>, StoreError> {
    let oldest = store.scan(group, CHANGES, CHANGES_END, 1)?;
    let Some(oldest) = oldest.first().and_then(|(key, _)| place_of(key)) else {
        return Ok(None);
    };
    let until = key(oldest.index + 1, 0);
    let mut last = oldest;
    for (key, value) in store.scan(group, &key(oldest.index, 0), &until, usize::from(u16::MAX))? {
        let first = place_of(&key).unwrap_or(last);
        let changes = postcard::from_bytes::<Vec<Change>>(&value).unwrap_or_default();
        let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        last.part = first.part.saturating_add(count);
        writes.insert(key, Write::Delete);
    }
    Ok(Some(last))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::seams::Pair;

    /// One group's map in memory.
    #[derive(Default)]
    struct Store(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

    impl StateStore for Store {
        fn get(&self, _: GroupId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(self.0.lock().unwrap().get(key).cloned())
        }

        fn scan(
            &self,
            _: GroupId,
            from: &[u8],
            until: &[u8],
            limit: usize,
        ) -> Result<Vec<Pair>, StoreError> {
            let map = self.0.lock().unwrap();
            let found = map.range(from.to_vec()..until.to_vec()).take(limit);
            Ok(found
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect())
        }

        fn commit(&self, _: GroupId, writes: &WriteSet, _: &[u8]) -> Result<(), StoreError> {
            let mut map = self.0.lock().unwrap();
            for (key, write) in writes {
                match write {
                    Write::Put(value) => drop(map.insert(key.clone(), value.clone())),
                    Write::Delete => drop(map.remove(key)),
                }
            }
            Ok(())
        }

        fn position(&self, _: GroupId) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }

        fn clear(&self, _: GroupId) -> Result<(), StoreError> {
            self.0.lock().unwrap().clear();
            Ok(())
        }

        async fn flush(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn group() -> GroupId {
        GroupId("350100".parse().unwrap())
    }

    fn change(version: u32) -> Change {
        Change {
            case: number(),
            version: CaseVersion(version),
            state: CaseState::Received,
            since: Timestamp::from_unix_ms(1),
        }
    }

    fn number() -> CaseNumber {
        let day = Timestamp::from_unix_ms(1_772_415_000_000).china_day();
        CaseNumber::new("350100".parse().unwrap(), day, 1, 1).unwrap()
    }

    /// Applies entries of so many changes each, from an index on.
    fn apply(store: &Store, feed: &mut Feed, first: u64, entries: &[usize]) {
        for (index, count) in (first..).zip(entries) {
            let mut writes = WriteSet::new();
            let changes: Vec<Change> = (1..).take(*count).map(change).collect();
            feed.keep(store, group(), index, &changes, &mut writes)
                .unwrap();
            store.commit(group(), &writes, b"").unwrap();
        }
    }

    fn places(store: &Store, feed: Feed, index: u64, part: u32, limit: usize) -> Vec<(u64, u32)> {
        let after = ChangePlace { index, part };
        let Changes::Held(found) = feed.read(store, group(), after, limit).unwrap() else {
            panic!("it is held");
        };
        found
            .iter()
            .map(|(place, _)| (place.index, place.part))
            .collect()
    }

    #[test]
    fn reading_goes_on_behind_every_place_within_and_between_entries() {
        let store = Store::default();
        let mut feed = Feed::open(&store, group()).unwrap();
        apply(&store, &mut feed, 1, &[2, 0, 300, 1]);
        let all = places(&store, feed, 0, 0, 1_000);
        assert_eq!(all.len(), 303);
        assert!(all.is_sorted() && all[2] == (3, 1) && all[302] == (4, 1));
        for (at, (index, part)) in all.iter().enumerate() {
            let behind = places(&store, feed, *index, *part, 7);
            let expected: Vec<_> = all.iter().skip(at + 1).take(7).copied().collect();
            assert_eq!(behind, expected, "behind {index}-{part}");
        }
    }

    #[test]
    fn it_means_the_same_when_the_state_is_opened_again() {
        let store = Store::default();
        let mut feed = Feed::default();
        apply(&store, &mut feed, 5, &[1, 1]);
        let again = Feed::open(&store, group()).unwrap();
        assert_eq!(places(&store, again, 5, 0, 9), [(5, 1), (6, 1)]);
        let before = ChangePlace { index: 3, part: 9 };
        let read = again.read(&store, group(), before, 9).unwrap();
        assert_eq!(
            read,
            Changes::Gone,
            "nobody knows what was before its first entry"
        );
    }

    #[test]
    fn a_place_within_an_entry_that_was_forgotten_is_gone_and_the_one_behind_it_is_held() {
        let store = Store::default();
        let mut feed = Feed::default();
        let mut entries = vec![1; usize::try_from(ENTRIES_KEPT).unwrap() + 1];
        entries[0] = 300;
        apply(&store, &mut feed, 1, &entries);
        for part in [0, 1, 128, 299] {
            let after = ChangePlace { index: 1, part };
            let read = feed.read(&store, group(), after, 1).unwrap();
            assert_eq!(read, Changes::Gone, "{part}");
        }
        assert_eq!(places(&store, feed, 1, 300, 1), [(2, 1)]);
        let again = Feed::open(&store, group()).unwrap();
        assert_eq!(places(&store, again, 1, 300, 1), [(2, 1)]);
    }

    #[test]
    fn what_was_kept_by_indexes_alone_is_taken_up_without_a_gap() {
        let store = Store::default();
        let mut feed = Feed::default();
        apply(&store, &mut feed, 5, &[2, 1]);
        let mut map = store.0.lock().unwrap();
        map.remove(KEPT_FROM).unwrap();
        let before = postcard::to_allocvec(&(4_u64, 2_u64)).unwrap();
        map.insert(KEPT_BEFORE.to_vec(), before);
        drop(map);
        let again = Feed::open(&store, group()).unwrap();
        assert_eq!(places(&store, again, 5, 0, 9), [(5, 1), (5, 2), (6, 1)]);
        assert!(!again.holds(ChangePlace { index: 4, part: 1 }));
    }

    #[test]
    fn the_oldest_is_forgotten_and_said_to_be_gone() {
        let store = Store::default();
        let mut feed = Feed::default();
        let kept = usize::try_from(ENTRIES_KEPT).unwrap();
        apply(&store, &mut feed, 1, &vec![1; kept + 3]);
        let at = |index| ChangePlace { index, part: 1 };
        assert_eq!(feed.read(&store, group(), at(2), 1).unwrap(), Changes::Gone);
        assert_eq!(places(&store, feed, 3, 1, 1), [(4, 1)]);
        // The marker beside what is kept.
        assert_eq!(store.0.lock().unwrap().len(), kept + 1);
    }
}
