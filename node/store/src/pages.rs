//! The pages of the engine: which of them holds a place, what stands on it, how a layer is written into
//! them, and how those of a group are forgotten.

use std::ops::Bound;

use sled::IVec;
use tongban_runtime::seams::Pair;

use crate::keys;
use crate::layers::Layer;
use crate::limits::CLEARED_PER_BATCH_MAX;
use crate::page::{Change, Malformed, Page, rewrite};

/// The pages of all groups in the engine's one tree, as long as it is open.
#[derive(Clone, Copy)]
pub(crate) struct Pages<'a> {
    tree: &'a sled::Tree,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(tree: &'a sled::Tree) -> Self {
        Self { tree }
    }

    /// The value of a place.
    pub(crate) fn get(self, place: &[u8]) -> Result<Option<Vec<u8>>, sled::Error> {
        let Some((_, bytes)) = self.page_of(place)? else {
            return Ok(None);
        };
        let value = Page::open(&bytes).and_then(|page| page.get(keys::bare(place)));
        Ok(value.map_err(no_page)?.map(<[u8]>::to_vec))
    }

    /// Pairs of one group with `from <= place < until`, in order.
    pub(crate) fn pairs(self, from: &[u8], until: &[u8]) -> Result<Pairs, sled::Error> {
        let first = self.page_of(from)?;
        let behind = (Bound::Excluded(from), Bound::Excluded(until));
        let mut pairs = Pairs {
            page: None,
            at: 0,
            pages: self.tree.range::<&[u8], _>(behind),
            until: keys::bare(until).to_vec(),
        };
        if let Some((_, bytes)) = first {
            pairs.at = Page::open(&bytes)
                .and_then(|page| page.lower_bound(keys::bare(from)))
                .map_err(no_page)?;
            pairs.page = Some(bytes);
        }
        Ok(pairs)
    }

    /// What writes a layer into the pages it belongs to, and its positions. Good for as long as nothing
    /// else writes.
    pub(crate) fn batch_of(self, layer: &Layer) -> Result<sled::Batch, sled::Error> {
        let mut batch = sled::Batch::default();
        let mut changes = layer.changes().peekable();
        while let Some((place, _)) = changes.peek().copied() {
            let held = self.page_of(place)?;
            let behind = self.page_behind(place)?;
            let is_on_page = |other: &[u8]| {
                keys::prefix_of(other) == keys::prefix_of(place)
                    && behind.as_ref().is_none_or(|behind| other < behind.as_ref())
            };
            let mut on_page: Vec<Change<'_>> = Vec::new();
            while let Some((other, value)) = changes.next_if(|(other, _)| is_on_page(other)) {
                on_page.push((keys::bare(other), value));
            }
            let before = held
                .as_ref()
                .map(|(_, bytes)| Page::open(bytes))
                .transpose();
            let pages = before.and_then(|before| rewrite(before, &on_page));
            let mut stays = held.as_ref().map(|(first, _)| first.to_vec());
            for (first, page) in pages.map_err(no_page)? {
                // The first of them stays where the page stood, whatever its first key is now.
                let at = stays.take().unwrap_or_else(|| {
                    [place.get(..keys::GROUP_BYTES).unwrap_or_default(), &first].concat()
                });
                batch.insert(at, page);
            }
            if let Some(empty) = stays {
                batch.remove(empty);
            }
        }
        for (group, position) in layer.positions() {
            batch.insert(&keys::position_key(group), position);
        }
        Ok(batch)
    }

    /// The page that holds a place, if any does: the last one that begins at it or before it.
    fn page_of(self, place: &[u8]) -> Result<Option<(IVec, IVec)>, sled::Error> {
        let group = place.get(..keys::GROUP_BYTES).unwrap_or_default();
        self.tree.range(group..=place).next_back().transpose()
    }

    /// Where the next page of a place's group begins.
    fn page_behind(self, place: &[u8]) -> Result<Option<IVec>, sled::Error> {
        let Some(prefix) = keys::prefix_of(place) else {
            return Ok(None);
        };
        let end = keys::behind(prefix);
        let range = (Bound::Excluded(place), Bound::Excluded(end.as_slice()));
        self.tree.range::<&[u8], _>(range).keys().next().transpose()
    }

    /// Writes a batch, all or nothing.
    pub(crate) fn apply(self, batch: sled::Batch) -> Result<(), sled::Error> {
        self.tree.apply_batch(batch)
    }

    /// Forgets the next pages of a group; false when there are none left.
    pub(crate) fn forget_some(self, prefix: [u8; keys::GROUP_BYTES]) -> Result<bool, sled::Error> {
        let mut batch = sled::Batch::default();
        let mut some = false;
        let pairs = self
            .tree
            .range(prefix.as_slice()..keys::behind(prefix).as_slice());
        for place in pairs.keys().take(CLEARED_PER_BATCH_MAX) {
            batch.remove(place?);
            some = true;
        }
        if some {
            self.apply(batch)?;
        }
        Ok(some)
    }
}

/// Pairs of one group in order, read page by page.
pub(crate) struct Pairs {
    page: Option<IVec>,
    /// The next pair of the page.
    at: usize,
    pages: sled::Iter,
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
            let Some((_, bytes)) = self.pages.next().transpose()? else {
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
