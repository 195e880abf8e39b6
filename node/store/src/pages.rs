//! The pages of the engine: which of them holds a place, what stands on it, how a layer is written into
//! them, and how those of a group are forgotten. Asking the engine copies a leaf of its tree each time, so
//! those read or written lately are kept at hand.

use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::IVec;
use tongban_runtime::seams::Pair;

use crate::keys;
use crate::known_pages::{KnownPage, KnownPages};
use crate::layers::Layer;
use crate::limits::CLEARED_PER_BATCH_MAX;
use crate::page::{Change, Malformed, Page, rewrite};
use crate::paged_batch::PagedBatch;

/// The pages of all groups in the engine's one tree, as long as it is open.
///
/// What is at hand is what the engine holds, for whoever keeps batches out: a page is learned while none is
/// applied, and all pages are written by [`Pages::apply`], which those at hand have followed when the
/// next reader gets in.
#[derive(Clone, Copy)]
pub(crate) struct Pages<'a> {
    tree: &'a sled::Tree,
    known: &'a RwLock<KnownPages>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(tree: &'a sled::Tree, known: &'a RwLock<KnownPages>) -> Self {
        Self { tree, known }
    }

    /// The page of a place, if it is at hand. Needs no batch to be kept out: what one has changed and is not
    /// followed yet, readers find in its layer; what it forgot of a group, they find until it is.
    pub(crate) fn at_hand(self, place: &[u8]) -> Option<IVec> {
        self.known().find(place).map(|page| page.bytes.clone())
    }

    /// The page of a place: the last one that begins at it or before it. Batches are kept out.
    pub(crate) fn find(self, place: &[u8]) -> Result<Option<KnownPage>, sled::Error> {
        if let Some(page) = self.known().find(place) {
            return Ok(Some(page.clone()));
        }
        let group = place.get(..keys::GROUP_BYTES).unwrap_or_default();
        let found = self.tree.range(group..=place).next_back().transpose()?;
        let Some((first, bytes)) = found else {
            return Ok(None);
        };
        let page = KnownPage {
            first,
            until: self.end_of(place)?,
            bytes,
        };
        self.known_mut().learn(page.clone());
        Ok(Some(page))
    }

    /// Pairs of one group with `from <= place < until`, in order. Batches are kept out until the last
    /// of them is read.
    pub(crate) fn pairs(self, from: &[u8], until: &[u8]) -> Result<Pairs, sled::Error> {
        let first = self.find(from)?;
        let behind: Bound<&[u8]> = match &first {
            Some(page) => Bound::Included(page.until.as_ref()),
            None => Bound::Excluded(from),
        };
        let is_whole = first.as_ref().is_some_and(|page| *page.until >= *until);
        let range = (behind, Bound::Excluded(until));
        let mut pairs = Pairs {
            page: None,
            at: 0,
            pages: (!is_whole).then(|| self.tree.range::<&[u8], _>(range)),
            until: keys::bare(until).to_vec(),
        };
        if let Some(KnownPage { bytes, .. }) = first {
            pairs.at = Page::open(&bytes)
                .and_then(|page| page.lower_bound(keys::bare(from)))
                .map_err(no_page)?;
            pairs.page = Some(bytes);
        }
        Ok(pairs)
    }

    /// What writes a layer into the pages it belongs to, and its positions. Good for as long as nothing
    /// else writes.
    pub(crate) fn batch_of(self, layer: &Layer) -> Result<PagedBatch, sled::Error> {
        let mut batch = PagedBatch::default();
        let mut changes = layer.changes().peekable();
        while let Some((place, _)) = changes.peek().copied() {
            let held = self.find(place)?;
            let until = match &held {
                Some(page) => page.until.clone(),
                None => self.end_of(place)?,
            };
            let mut on_page: Vec<Change<'_>> = Vec::new();
            while let Some((other, value)) = changes.next_if(|(other, _)| **other < *until) {
                on_page.push((keys::bare(other), value));
            }
            let before = held
                .as_ref()
                .map(|page| Page::open(&page.bytes))
                .transpose();
            let pages = before.and_then(|before| rewrite(before, &on_page));
            let pages = pages.map_err(no_page)?;
            batch.rewrite(place, held.map(|page| page.first), until, pages);
        }
        for (group, position) in layer.positions() {
            batch.move_to(group, position);
        }
        Ok(batch)
    }

    /// Writes a batch, all or nothing. Readers are kept out until those at hand have followed it.
    pub(crate) fn apply(self, batch: PagedBatch) -> Result<(), sled::Error> {
        self.tree.apply_batch(batch.pairs)?;
        let mut known = self.known_mut();
        for rewritten in batch.rewritten {
            known.replace(rewritten);
        }
        Ok(())
    }

    /// Forgets the next pages of a group; false when there are none left. Readers are kept out.
    pub(crate) fn forget_some(self, group: [u8; keys::GROUP_BYTES]) -> Result<bool, sled::Error> {
        match self.forgetting(group)? {
            None => Ok(false),
            Some(batch) => self.apply(batch).map(|()| true),
        }
    }

    /// The batch that forgets the next pages of a group; `None` when there are none left.
    pub(crate) fn forgetting(
        self,
        group: [u8; keys::GROUP_BYTES],
    ) -> Result<Option<PagedBatch>, sled::Error> {
        let pages = self
            .tree
            .range(group.as_slice()..keys::behind(group).as_slice());
        let places = pages.keys().take(CLEARED_PER_BATCH_MAX);
        let places = places.collect::<Result<Vec<_>, _>>()?;
        if places.is_empty() {
            return Ok(None);
        }
        let mut batch = PagedBatch::default();
        batch.forget(group, places);
        Ok(Some(batch))
    }

    /// Where the page that holds a place, or would, ends: where the next one of its group begins, or the
    /// group ends.
    fn end_of(self, place: &[u8]) -> Result<IVec, sled::Error> {
        let group = keys::prefix_of(place).expect("only groups have pages");
        let end = keys::behind(group);
        let range = (Bound::Excluded(place), Bound::Excluded(end.as_slice()));
        let next = self.tree.range::<&[u8], _>(range).keys().next();
        Ok(next.transpose()?.unwrap_or_else(|| IVec::from(&end)))
    }

    fn known(self) -> RwLockReadGuard<'a, KnownPages> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(self) -> RwLockWriteGuard<'a, KnownPages> {
        // Nothing under this lock can panic but for want of memory.
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of a place on its page.
pub(crate) fn value_on(page: &[u8], place: &[u8]) -> Result<Option<Vec<u8>>, sled::Error> {
    let value = Page::open(page).and_then(|page| page.get(keys::bare(place)));
    Ok(value.map_err(no_page)?.map(<[u8]>::to_vec))
}

/// Pairs of one group in order, read page by page.
pub(crate) struct Pairs {
    page: Option<IVec>,
    /// The next pair of the page.
    at: usize,
    /// The pages behind it; `None` where it holds all that is asked for.
    pages: Option<sled::Iter>,
    until: Vec<u8>,
}

impl Pairs {
    /// The next pair; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Pair>, sled::Error> {
        loop {
            if let Some(bytes) = &self.page {
                let page = Page::open(bytes).map_err(no_page)?;
                if self.at < page.count() {
                    let (key, value) = page.pair(self.at).map_err(no_page)?;
                    self.at += 1;
                    let is_in_range = key < self.until.as_slice();
                    return Ok(is_in_range.then(|| (key.to_vec(), value.to_vec())));
                }
            }
            let next = self.pages.as_mut().and_then(Iterator::next);
            let Some((_, bytes)) = next.transpose()? else {
                return Ok(None);
            };
            (self.page, self.at) = (Some(bytes), 0);
        }
    }
}

/// The engine checks what it reads, so that these bytes are as they were written.
fn no_page(Malformed: Malformed) -> sled::Error {
    sled::Error::ReportableBug("a value of the store is no page".to_owned())
}

#[cfg(test)]
impl Pages<'_> {
    /// How many pages are at hand, each compared with the engine's. Nobody writes meanwhile.
    pub(crate) fn check_at_hand(self) -> usize {
        let known = self.known();
        for page in known.each() {
            let none = RwLock::new(KnownPages::new(0));
            let held = Pages::new(self.tree, &none).find(&page.first);
            let held = held.expect("the engine is well");
            let held = held.expect("a page at hand is in the engine");
            assert_eq!(held.first, page.first);
            assert_eq!(held.until, page.until, "where {:?} ends", page.first);
            assert!(held.bytes == page.bytes, "{:?} is old", page.first);
        }
        known.each().count()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// One right behind the other.
    const GROUPS: [[u8; keys::GROUP_BYTES]; 2] = [[0, 5, 6, 7], [0, 5, 6, 8]];
    const KEYS: u16 = 600;

    fn place(group: [u8; keys::GROUP_BYTES], key: u16) -> Vec<u8> {
        [group.as_slice(), &key.to_be_bytes()].concat()
    }

    /// Puts some blocks of keys and deletes others, each turn others.
    fn changes(turn: u16) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        let mut changes = BTreeMap::new();
        for (shift, group) in (0..).zip(GROUPS) {
            for key in 0..KEYS {
                let value = match (key / 20 + turn * 13 + shift) % 11 {
                    0 | 1 => Some(turn.to_be_bytes().repeat(150)),
                    2 | 3 => None,
                    _ => continue,
                };
                changes.insert(place(group, key), value);
            }
        }
        changes
    }

    #[test]
    fn what_is_at_hand_is_what_the_engine_holds_whatever_is_written_and_forgotten() {
        for known_bytes_max in [0, 40 * 1024, 1 << 20] {
            let folder = tempfile::tempdir().unwrap();
            let settings = sled::Config::new().path(folder.path()).flush_every_ms(None);
            let tree = settings.open().unwrap();
            let known = RwLock::new(KnownPages::new(known_bytes_max));
            let pages = Pages::new(&tree, &known);
            let mut expected = BTreeMap::new();
            let mut at_hand = 0;
            for turn in 0..40 {
                let mut layer = Layer::default();
                for (place, value) in changes(turn) {
                    layer.change(place.clone(), value.clone());
                    expected.insert(place, value);
                }
                let batch = pages.batch_of(&layer).unwrap();
                pages.apply(batch).unwrap();
                at_hand += pages.check_at_hand();
                for (place, value) in &expected {
                    let page = pages.find(place).unwrap();
                    let found = page.map(|page| value_on(&page.bytes, place).unwrap());
                    assert_eq!(found.flatten().as_ref(), value.as_ref());
                }
                if turn % 8 == 7 {
                    while pages.forget_some(GROUPS[0]).unwrap() {}
                    expected.retain(|place, _| !place.starts_with(&GROUPS[0]));
                    assert_eq!(pages.at_hand(&place(GROUPS[0], 300)), None);
                    assert!(pages.find(&place(GROUPS[0], 300)).unwrap().is_none());
                }
                at_hand += pages.check_at_hand();
            }
            assert!(at_hand > 0);
        }
    }
}
