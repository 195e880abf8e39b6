//! What was committed and has not sunk into the engine yet: the layer commits go to, and the one that
//! is sinking. A layer that is lost with the process is replayed from snapshot and log.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::keys::GROUP_BYTES;

/// Bytes a change takes in memory besides key and value, about: its place in the map and two
/// allocations.
const CHANGE_BYTES: usize = 96;

/// Changes of all groups by place, and the positions they bring the groups to.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    positions: BTreeMap<[u8; GROUP_BYTES], Vec<u8>>,
    bytes: usize,
}

impl Layer {
    /// Changes in order of their places.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.changes
            .iter()
            .map(|(place, value)| (place.as_slice(), value.as_deref()))
    }

    /// The positions of the groups in it.
    pub(crate) fn positions(&self) -> impl Iterator<Item = ([u8; GROUP_BYTES], &[u8])> {
        self.positions
            .iter()
            .map(|(group, position)| (*group, position.as_slice()))
    }

    /// Memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn change(&mut self, place: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += place.len() + value.as_ref().map_or(0, Vec::len) + CHANGE_BYTES;
        self.changes.insert(place, value);
    }

    pub(crate) fn move_to(&mut self, group: [u8; GROUP_BYTES], position: &[u8]) {
        self.bytes += position.len();
        self.positions.insert(group, position.to_vec());
    }

    fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    fn range<'a>(
        &'a self,
        from: &[u8],
        until: &[u8],
    ) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let range = (Bound::Included(from), Bound::Excluded(until));
        self.changes
            .range::<[u8], _>(range)
            .map(|(place, value)| (place.as_slice(), value.as_deref()))
    }
}

/// What the layers say of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It has this value.
    Value(Vec<u8>),
    /// It was removed.
    Gone,
    /// What the engine says holds.
    Nothing,
}

/// The layers above the engine.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) newest: Layer,
    sinking: Option<Arc<Layer>>,
}

impl Layers {
    /// What the layers say of a place.
    pub(crate) fn get(&self, place: &[u8]) -> Known {
        match self.each().find_map(|layer| layer.changes.get(place)) {
            Some(Some(value)) => Known::Value(value.clone()),
            Some(None) => Known::Gone,
            None => Known::Nothing,
        }
    }

    /// The position of a group that has moved in a layer.
    pub(crate) fn position(&self, group: [u8; GROUP_BYTES]) -> Option<Vec<u8>> {
        self.each()
            .find_map(|layer| layer.positions.get(&group).cloned())
    }

    /// Changes with `from <= place < until` in order, of two to one place the newer.
    pub(crate) fn range<'a>(
        &'a self,
        from: &[u8],
        until: &[u8],
    ) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut newer = self.newest.range(from, until).peekable();
        let older = self.sinking.as_ref().map(|layer| layer.range(from, until));
        let mut older = older.into_iter().flatten().peekable();
        std::iter::from_fn(move || match (newer.peek(), older.peek()) {
            (Some((new, _)), Some((old, _))) if old < new => older.next(),
            (Some((new, _)), Some((old, _))) => {
                let is_same = old == new;
                if is_same {
                    older.next();
                }
                newer.next()
            }
            (Some(_), None) => newer.next(),
            (None, _) => older.next(),
        })
    }

    /// Makes the newest layer the one that sinks; `None` when there is nothing in it. The layer
    /// before must have sunk.
    pub(crate) fn begin_sinking(&mut self) -> Option<Arc<Layer>> {
        if self.newest.is_empty() {
            return None;
        }
        let layer = Arc::new(std::mem::take(&mut self.newest));
        self.sinking = Some(Arc::clone(&layer));
        Some(layer)
    }

    /// Lets the layer go that is in the engine now.
    pub(crate) fn end_sinking(&mut self) -> Option<Arc<Layer>> {
        self.sinking.take()
    }

    fn each(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.newest).chain(self.sinking.as_deref())
    }
}
