//! What was committed and has not sunk into the engine yet: the layer commits go to, those that wait, and
//! those that sink. A layer that is lost with the process is replayed from snapshot and log.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use crate::keys::GROUP_BYTES;
use crate::limits::PART_BYTES;

/// Bytes a change takes in memory besides key and value, about: its place in the map and two
/// allocations.
const CHANGE_BYTES: usize = 96;

/// A place and what becomes of it: a value, or `None` where it is gone.
type Changed<'a> = (&'a [u8], Option<&'a [u8]>);

/// Changes of all groups by place, and the positions they bring the groups to.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    positions: BTreeMap<[u8; GROUP_BYTES], Vec<u8>>,
    bytes: usize,
}

impl Layer {
    /// Changes in order of their places.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Changed<'_>> {
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
    ) -> impl Iterator<Item = Changed<'a>> + use<'a> {
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
    /// Those that are full and sink next, the oldest first.
    waiting: Vec<Arc<Layer>>,
    /// Those that sink now, one after the other, the oldest first.
    sinking: VecDeque<Arc<Layer>>,
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

    /// Changes with `from <= place < until` in order, of several to one place the newest.
    pub(crate) fn range<'a>(
        &'a self,
        from: &[u8],
        until: &[u8],
    ) -> impl Iterator<Item = Changed<'a>> + use<'a> {
        let layers = self.each();
        let mut newest_first: Vec<_> = layers
            .map(|layer| layer.range(from, until).peekable())
            .collect();
        std::iter::from_fn(move || next_of(&mut newest_first))
    }

    /// Bytes that are yet to sink, but for those that are sinking.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let waiting = self.waiting.iter().map(|layer| layer.bytes());
        self.newest.bytes() + waiting.sum::<usize>()
    }

    /// Begins another layer if the newest is full. To be called between two commits: each is in one
    /// layer whole.
    pub(crate) fn part_when_full(&mut self) {
        if self.newest.bytes() >= PART_BYTES {
            self.part();
        }
    }

    fn part(&mut self) {
        if !self.newest.is_empty() {
            let full = std::mem::take(&mut self.newest);
            self.waiting.push(Arc::new(full));
        }
    }

    /// Makes all there is sink, and returns it in parts, the oldest first. What was to sink before must
    /// have sunk.
    pub(crate) fn begin_sinking(&mut self) -> Vec<Arc<Layer>> {
        self.part();
        let parts = std::mem::take(&mut self.waiting);
        self.sinking.extend(parts.iter().cloned());
        parts
    }

    /// Lets the oldest part go, which is in the engine now.
    pub(crate) fn end_sinking(&mut self) -> Option<Arc<Layer>> {
        self.sinking.pop_front()
    }

    /// The newest first.
    fn each(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.newest)
            .chain(self.waiting.iter().rev().map(Arc::as_ref))
            .chain(self.sinking.iter().rev().map(Arc::as_ref))
    }
}

/// The next change of any layer, the newest of those to one place; the others of that place are passed.
fn next_of<'a>(
    newest_first: &mut [Peekable<impl Iterator<Item = Changed<'a>>>],
) -> Option<Changed<'a>> {
    let heads = newest_first.iter_mut().filter_map(Peekable::peek);
    let first = heads.map(|(place, _)| *place).min()?;
    let mut newest = None;
    for layer in newest_first {
        let change = layer.next_if(|(place, _)| *place == first);
        newest = newest.or(change);
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: [u8; GROUP_BYTES] = [0, 5, 6, 7];

    #[test]
    fn of_several_layers_the_newest_says_what_a_place_holds() {
        let mut layers = Layers::default();
        for number in 0..5_u8 {
            // Each leaves one place more as it was.
            for place in number..8 {
                let value = number.is_multiple_of(2).then(|| vec![number]);
                layers.newest.change(vec![place], value);
            }
            layers.newest.move_to(GROUP, &[number]);
            match number {
                1 => assert_eq!(layers.begin_sinking().len(), 2),
                0 | 2 | 3 => layers.part(),
                _ => {}
            }
        }
        let expected = |place: u8| {
            let number = place.min(4);
            number.is_multiple_of(2).then(|| vec![number])
        };
        let found: Vec<_> = layers.range(&[1], &[7]).collect();
        assert_eq!(found.len(), 6);
        for ((found, value), place) in found.into_iter().zip(1..) {
            assert_eq!(found, [place]);
            assert_eq!(value.map(<[u8]>::to_vec), expected(place));
            let known = expected(place).map_or(Known::Gone, Known::Value);
            assert_eq!(layers.get(&[place]), known);
        }
        assert_eq!(layers.get(&[9]), Known::Nothing);
        assert_eq!(layers.position(GROUP), Some(vec![4]));
    }

    #[test]
    fn what_gathers_sinks_in_parts_and_each_commit_whole() {
        const COMMITS: u32 = 400;
        const VALUE_BYTES: usize = 25 * 1024;
        const COMMIT_BYTES: usize = 2 * (VALUE_BYTES + CHANGE_BYTES + 8);
        let mut layers = Layers::default();
        for number in 0..COMMITS {
            let number = number.to_be_bytes();
            for half in 0..2 {
                let place = [&number[..], &[half]].concat();
                layers.newest.change(place, Some(vec![half; VALUE_BYTES]));
            }
            layers.newest.move_to(GROUP, &number);
            layers.part_when_full();
        }
        assert!(layers.waiting_bytes() > 4 * PART_BYTES);
        let mut sunk = 0;
        for layer in layers.begin_sinking() {
            assert_eq!(layers.waiting_bytes(), 0);
            assert!(layer.bytes() < PART_BYTES + COMMIT_BYTES);
            for (place, _) in layer.changes() {
                assert_eq!(place[..4], (sunk / 2_u32).to_be_bytes());
                sunk += 1;
            }
            assert_eq!(sunk % 2, 0, "half a commit");
            let last = (sunk / 2 - 1).to_be_bytes();
            let positions: Vec<_> = layer.positions().collect();
            assert_eq!(positions, [(GROUP, &last[..])]);
            let ended = layers.end_sinking().expect("it sinks");
            assert!(Arc::ptr_eq(&ended, &layer));
        }
        assert_eq!(sunk, 2 * COMMITS);
    }
}
