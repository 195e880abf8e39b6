//! The state as a handler sees it: what is stored, under what this entry has written so far.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The key gets this value.
    Put(Vec<u8>),
    /// The key is gone.
    Delete,
}

/// Changes in key order, at most one a key.
pub type WriteSet = BTreeMap<Vec<u8>, Write>;

/// Applied state as of the last entry. One that cannot read must remember so and have everything
/// computed from it thrown away; here reading does not fail.
pub trait View {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Pairs with `from <= key < until` in key order, at most `limit`.
    fn scan(&self, from: &[u8], until: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)>;
}

/// Reads a stored value. Values are written by this crate alone, so one that does not decode means
/// a broken store; it reads as absent and the state hash tells the replicas apart.
pub(crate) fn load<T: DeserializeOwned>(view: &dyn View, key: &[u8]) -> Option<T> {
    view.get(key)
        .and_then(|bytes| postcard::from_bytes(&bytes).ok())
}

/// The state with the writes of the entry being applied on top, and a way back to a savepoint, so
/// that a refused command leaves nothing behind.
pub(crate) struct Draft<'a> {
    view: &'a dyn View,
    writes: WriteSet,
    undo: Vec<(Vec<u8>, Option<Write>)>,
}

impl std::fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("writes", &self.writes.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn new(view: &'a dyn View) -> Self {
        Self {
            view,
            writes: WriteSet::new(),
            undo: Vec::new(),
        }
    }

    pub(crate) fn load<T: DeserializeOwned>(&self, key: &[u8]) -> Option<T> {
        load(self, key)
    }

    pub(crate) fn store<T: Serialize>(&mut self, key: Vec<u8>, value: &T) {
        let bytes = postcard::to_allocvec(value)
            .expect("a vector takes all bytes, and our records have only known lengths");
        self.write(key, Write::Put(bytes));
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, bytes: Vec<u8>) {
        self.write(key, Write::Put(bytes));
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.write(key, Write::Delete);
    }

    fn write(&mut self, key: Vec<u8>, write: Write) {
        let before = self.writes.insert(key.clone(), write);
        self.undo.push((key, before));
    }

    /// Everything up to here stays whatever comes after is refused.
    pub(crate) fn keep(&mut self) {
        self.undo.clear();
    }

    /// Takes back every write since the last [`Draft::keep`].
    pub(crate) fn take_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(write) => self.writes.insert(key, write),
                None => self.writes.remove(&key),
            };
        }
    }

    pub(crate) fn into_writes(self) -> WriteSet {
        self.writes
    }

    pub(crate) fn writes(&self) -> &WriteSet {
        &self.writes
    }
}

impl View for Draft<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.writes.get(key) {
            Some(Write::Put(bytes)) => Some(bytes.clone()),
            Some(Write::Delete) => None,
            None => self.view.get(key),
        }
    }

    fn scan(&self, from: &[u8], until: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        if from >= until {
            return Vec::new();
        }
        let ours = self.writes.range(from.to_vec()..until.to_vec());
        let hidden = ours.clone().count();
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = self
            .view
            .scan(from, until, limit.saturating_add(hidden))
            .into_iter()
            .collect();
        for (key, write) in ours {
            match write {
                Write::Put(bytes) => merged.insert(key.clone(), bytes.clone()),
                Write::Delete => merged.remove(key),
            };
        }
        merged.into_iter().take(limit).collect()
    }
}

/// A state held in memory: for tests, models and the simulator's oracle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryView(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl MemoryView {
    /// Makes the changes of an applied entry.
    pub fn commit(&mut self, writes: &WriteSet) {
        for (key, write) in writes {
            match write {
                Write::Put(bytes) => self.0.insert(key.clone(), bytes.clone()),
                Write::Delete => self.0.remove(key),
            };
        }
    }
}

impl View for MemoryView {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }

    fn scan(&self, from: &[u8], until: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        if from >= until {
            return Vec::new();
        }
        self.0
            .range(from.to_vec()..until.to_vec())
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_shows_its_writes_and_takes_back_to_the_savepoint() {
        let mut base = MemoryView::default();
        base.0.insert(b"a".to_vec(), vec![1]);
        base.0.insert(b"b".to_vec(), vec![2]);
        let mut draft = Draft::new(&base);
        draft.put(b"c".to_vec(), vec![3]);
        draft.delete(b"a".to_vec());
        draft.keep();
        draft.put(b"a".to_vec(), vec![9]);
        draft.put(b"c".to_vec(), vec![8]);
        draft.put(b"c".to_vec(), vec![7]);
        let all = draft.scan(b"a", b"z", 9);
        assert_eq!(all.iter().map(|(_, v)| v[0]).collect::<Vec<_>>(), [9, 2, 7]);
        draft.take_back();
        let all = draft.scan(b"a", b"z", 9);
        assert_eq!(all.iter().map(|(_, v)| v[0]).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(
            draft.scan(b"a", b"z", 1).len(),
            1,
            "a hidden key does not use up the limit"
        );
        base.commit(&draft.into_writes());
        assert_eq!(base.0.len(), 2);
    }
}
