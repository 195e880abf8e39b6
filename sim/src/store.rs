//! Applied state in memory, as weak as its contract allows: a crash keeps some first part of the
//! commits that were not flushed, or loses everything.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tongban_runtime::seams::{StateStore, StoreError, Write, WriteSet};
use tongban_types::GroupId;

use crate::runtime::{Chance, Dice, Owner, Sleep, World, lock};

/// How a store behaves.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How long a flush takes.
    pub flush: RangeInclusive<Duration>,
    /// How often a crash loses the store whole, as an engine that does not open again.
    pub lost_whole: Chance,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            flush: Duration::from_millis(1)..=Duration::from_millis(10),
            lost_whole: Chance::percent(5),
        }
    }
}

/// What crashes did to a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFaults {
    /// Crashes that lost at least one commit.
    pub commits_lost: u64,
    /// Crashes that kept every commit although some were not flushed.
    pub unflushed_kept: u64,
    /// Crashes in the middle of a `clear`.
    pub clear_torn: u64,
    /// Crashes that lost the store whole.
    pub lost_whole: u64,
}

#[derive(Clone, Debug, Default)]
struct GroupState {
    pairs: BTreeMap<Bytes, Bytes>,
    position: Option<Bytes>,
}

/// A key, value or position, shared between what reads see and what is durable.
type Bytes = Arc<[u8]>;

type Image = BTreeMap<GroupId, GroupState>;

#[derive(Clone, Debug)]
enum Change {
    Commit {
        writes: Vec<(Bytes, Option<Bytes>)>,
        position: Bytes,
    },
    Clear,
}

impl Change {
    fn apply(&self, state: &mut GroupState) {
        match self {
            Self::Commit { writes, position } => {
                for (key, value) in writes {
                    match value {
                        Some(value) => state.pairs.insert(Arc::clone(key), Arc::clone(value)),
                        None => state.pairs.remove(key),
                    };
                }
                state.position = Some(Arc::clone(position));
            }
            Self::Clear => *state = GroupState::default(),
        }
    }
}

#[derive(Debug)]
struct State {
    live: Image,
    durable: Image,
    unflushed: Vec<(GroupId, Change)>,
    /// Changes ever made and ever made durable: a flush covers what came before it.
    made: u64,
    flushed: u64,
    options: StoreOptions,
    dice: Dice,
    faults: StoreFaults,
}

/// A store in memory. Clones are the same store; it outlives the crashes of its machine.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Mutex<State>>);

impl MemoryStore {
    /// The empty store of a machine.
    pub fn new(owner: Owner, options: StoreOptions) -> Self {
        Self(Arc::new(Mutex::new(State {
            live: Image::new(),
            durable: Image::new(),
            unflushed: Vec::new(),
            made: 0,
            flushed: 0,
            options,
            dice: World::dice("store", u64::from(owner.number())),
            faults: StoreFaults::default(),
        })))
    }

    /// The machine is switched off: keeps what was flushed and a drawn first part of the rest.
    pub fn crash(&self) {
        let mut state = lock(&self.0);
        let state = &mut *state;
        let unflushed = std::mem::take(&mut state.unflushed);
        let kept = state.dice.index(unflushed.len() + 1);
        for (group, change) in &unflushed[..kept] {
            change.apply(state.durable.entry(*group).or_default());
        }
        if let Some((group, Change::Clear)) = unflushed.get(kept)
            && state.dice.coin()
        {
            // The position goes first, so that a half cleared group is known to be one.
            state.durable.entry(*group).or_default().position = None;
            state.faults.clear_torn += 1;
        }
        if kept < unflushed.len() {
            state.faults.commits_lost += 1;
        } else if kept > 0 {
            state.faults.unflushed_kept += 1;
        }
        if state.dice.happens(state.options.lost_whole) {
            state.durable.clear();
            state.faults.lost_whole += 1;
        }
        state.live = state.durable.clone();
        state.flushed = state.made;
    }

    /// Deletes everything, as an operator may.
    pub fn wipe(&self) {
        let mut state = lock(&self.0);
        state.live.clear();
        state.durable.clear();
        state.unflushed.clear();
        state.flushed = state.made;
    }

    /// Changes not yet flushed.
    pub fn pending(&self) -> usize {
        lock(&self.0).unflushed.len()
    }

    /// What crashes did so far.
    pub fn faults(&self) -> StoreFaults {
        lock(&self.0).faults
    }

    fn change(&self, group: GroupId, change: Change) {
        let mut state = lock(&self.0);
        change.apply(state.live.entry(group).or_default());
        state.unflushed.push((group, change));
        state.made += 1;
    }
}

impl State {
    /// Makes the changes up to the `made`-th durable.
    fn flush(&mut self, made: u64) {
        let count = made.saturating_sub(self.flushed);
        let count = usize::try_from(count).expect("no more changes are flushed than are held");
        for (group, change) in self.unflushed.drain(..count) {
            change.apply(self.durable.entry(group).or_default());
        }
        self.flushed = self.flushed.max(made);
    }
}

impl StateStore for MemoryStore {
    fn get(&self, group: GroupId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let state = lock(&self.0);
        let value = state
            .live
            .get(&group)
            .and_then(|group| group.pairs.get(key));
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        group: GroupId,
        from: &[u8],
        until: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let state = lock(&self.0);
        let Some(group) = state.live.get(&group) else {
            return Ok(Vec::new());
        };
        if from >= until {
            return Ok(Vec::new());
        }
        let range = (Bound::Included(from), Bound::Excluded(until));
        let pairs = group.pairs.range::<[u8], _>(range).take(limit);
        Ok(pairs
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect())
    }

    fn commit(&self, group: GroupId, writes: &WriteSet, position: &[u8]) -> Result<(), StoreError> {
        let writes = writes.iter().map(|(key, write)| match write {
            Write::Put(value) => (key.as_slice().into(), Some(value.as_slice().into())),
            Write::Delete => (key.as_slice().into(), None),
        });
        let change = Change::Commit {
            writes: writes.collect(),
            position: position.into(),
        };
        self.change(group, change);
        Ok(())
    }

    fn position(&self, group: GroupId) -> Result<Option<Vec<u8>>, StoreError> {
        let state = lock(&self.0);
        let position = state
            .live
            .get(&group)
            .and_then(|group| group.position.as_ref());
        Ok(position.map(|position| position.to_vec()))
    }

    fn clear(&self, group: GroupId) -> Result<(), StoreError> {
        self.change(group, Change::Clear);
        Ok(())
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let (made, takes) = {
            let mut state = lock(&self.0);
            let state = &mut *state;
            (state.made, state.dice.within(&state.options.flush))
        };
        Sleep::true_time(takes).await;
        lock(&self.0).flush(made);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::CityCode;

    use super::*;

    fn fuzhou() -> GroupId {
        GroupId(CityCode::new(350_100).unwrap())
    }

    fn commit(store: &MemoryStore, number: u8) {
        let writes = WriteSet::from([
            (vec![number], Write::Put(vec![number])),
            (b"last".to_vec(), Write::Put(vec![number])),
        ]);
        store.commit(fuzhou(), &writes, &[number]).unwrap();
    }

    fn steady(lost_whole: Chance) -> StoreOptions {
        StoreOptions {
            lost_whole,
            ..StoreOptions::default()
        }
    }

    #[test]
    fn reads_see_commits_at_once_and_scans_are_bounded() {
        World::reset(1);
        let store = MemoryStore::new(Owner::new(1), StoreOptions::default());
        (1..=5).for_each(|number| commit(&store, number));
        assert_eq!(store.get(fuzhou(), &[3]).unwrap(), Some(vec![3]));
        assert_eq!(store.position(fuzhou()).unwrap(), Some(vec![5]));
        let scanned = store.scan(fuzhou(), &[2], &[5], 2).unwrap();
        assert_eq!(scanned, [(vec![2], vec![2]), (vec![3], vec![3])]);
        assert!(store.scan(fuzhou(), &[5], &[2], 9).unwrap().is_empty());
        let gone = WriteSet::from([(vec![3], Write::Delete)]);
        store.commit(fuzhou(), &gone, &[6]).unwrap();
        assert_eq!(store.get(fuzhou(), &[3]).unwrap(), None);
        store.clear(fuzhou()).unwrap();
        assert_eq!(store.position(fuzhou()).unwrap(), None);
    }

    #[test]
    fn a_crash_keeps_what_was_flushed_and_a_whole_first_part_of_the_rest() {
        let mut kept = std::collections::BTreeSet::new();
        for seed in 0..60 {
            World::reset(seed);
            let store = MemoryStore::new(Owner::new(1), steady(Chance::NEVER));
            (1..=3).for_each(|number| commit(&store, number));
            World::block_on(store.flush()).unwrap();
            (4..=6).for_each(|number| commit(&store, number));
            store.crash();
            let last = store.position(fuzhou()).unwrap().unwrap()[0];
            assert!((3..=6).contains(&last), "seed {seed}: {last}");
            assert_eq!(store.get(fuzhou(), b"last").unwrap(), Some(vec![last]));
            for number in 1..=6 {
                let is_there = store.get(fuzhou(), &[number]).unwrap().is_some();
                assert_eq!(is_there, number <= last, "seed {seed}: {number} of {last}");
            }
            kept.insert(last);
        }
        assert_eq!(kept.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
    }

    #[test]
    fn a_flush_covers_only_what_came_before_it() {
        World::reset(1);
        let store = MemoryStore::new(Owner::new(1), steady(Chance::NEVER));
        commit(&store, 1);
        let during = store.clone();
        World::spawn(Owner::new(1), async move {
            Sleep::true_time(Duration::from_micros(1)).await;
            commit(&during, 2);
        });
        World::block_on(store.flush()).unwrap();
        assert_eq!(store.pending(), 1);
    }

    #[test]
    fn a_crash_in_a_clear_loses_the_position_before_the_pairs() {
        let mut torn = 0;
        for seed in 0..40 {
            World::reset(seed);
            let store = MemoryStore::new(Owner::new(1), steady(Chance::NEVER));
            commit(&store, 1);
            World::block_on(store.flush()).unwrap();
            store.clear(fuzhou()).unwrap();
            store.crash();
            let has_pair = store.get(fuzhou(), &[1]).unwrap().is_some();
            if store.faults().clear_torn > 0 {
                assert_eq!(store.position(fuzhou()).unwrap(), None, "seed {seed}");
                assert!(has_pair, "seed {seed}");
                torn += 1;
            } else {
                let has_position = store.position(fuzhou()).unwrap().is_some();
                assert_eq!(has_position, has_pair, "seed {seed}");
            }
        }
        assert!((1..40).contains(&torn), "{torn}");
    }

    #[test]
    fn a_store_may_be_lost_whole() {
        World::reset(1);
        let store = MemoryStore::new(Owner::new(1), steady(Chance::ALWAYS));
        commit(&store, 1);
        World::block_on(store.flush()).unwrap();
        store.crash();
        assert_eq!(store.position(fuzhou()).unwrap(), None);
        assert_eq!(store.faults().lost_whole, 1);
    }
}
