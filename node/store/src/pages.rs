//! The pages of the store: which of them holds a place, what stands on it, how a layer is written into
//! them, and how those of a group are forgotten. The engine knows under which key a page stands where in
//! files. To ask it and to read them takes time, so those read or written lately are kept at hand.

use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use sled::IVec;
use tongban_runtime::seams::Pair;

use crate::keys;
use crate::known_pages::{KnownPage, KnownPages};
use crate::layers::Layer;
use crate::limits::{
    CLEARED_PER_BATCH_MAX, LOOKED_AT_PER_STEP_MAX, MOVED_BYTES_PER_STEP_MAX, MOVED_PER_STEP_MAX,
};
use crate::page::{Change, Malformed, Page, rewrite};
use crate::page_files::PageFiles;
use crate::page_place::{FileNumber, PagePlace};
use crate::paged_batch::{PagedBatch, PlacedBatch};

/// The pages of all groups in the engine's one tree, as long as it is open.
///
/// What is at hand is what the engine holds, for whoever keeps batches out: a page is learned while none is
/// applied, and all pages are written by [`Pages::apply`], which those at hand have followed when the
/// next reader gets in.
#[derive(Clone, Copy)]
pub(crate) struct Pages<'a> {
    tree: &'a sled::Tree,
    files: &'a PageFiles,
    known: &'a RwLock<KnownPages>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(
        tree: &'a sled::Tree,
        files: &'a PageFiles,
        known: &'a RwLock<KnownPages>,
    ) -> Self {
        Self { tree, files, known }
    }

    /// The page of a place, if it is at hand. Needs no batch to be kept out: what one has changed and is not
    /// followed yet, readers find in its layer; what it forgot of a group, they find until it is.
    pub(crate) fn at_hand(self, place: &[u8]) -> Option<Bytes> {
        self.known().find(place).map(|page| page.bytes.clone())
    }

    /// The page of a place: the last one that begins at it or before it. Batches are kept out.
    pub(crate) fn find(self, place: &[u8]) -> Result<Option<KnownPage>, sled::Error> {
        if let Some(page) = self.known().find(place) {
            return Ok(Some(page.clone()));
        }
        let group = place.get(..keys::GROUP_BYTES).unwrap_or_default();
        let found = self.tree.range(group..=place).next_back().transpose()?;
        let Some((first, stands)) = found else {
            return Ok(None);
        };
        let stands = PagePlace::decode(&stands).map_err(no_page)?;
        let page = KnownPage {
            first,
            until: self.end_of(place)?,
            bytes: self.files.read(stands)?,
            place: stands,
        };
        self.known_mut().learn(page.clone());
        Ok(Some(page))
    }

    /// Pairs of one group with `from <= place < until`, in order. Batches are kept out until the last
    /// of them is read.
    pub(crate) fn pairs(self, from: &[u8], until: &[u8]) -> Result<Pairs<'a>, sled::Error> {
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
            files: self.files,
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
            batch.rewrite(place, held, until, pages);
        }
        for (group, position) in layer.positions() {
            batch.move_to(group, position);
        }
        Ok(batch)
    }

    /// Writes a batch, all or nothing. Readers are kept out until those at hand have followed it.
    pub(crate) fn apply(self, batch: PlacedBatch) -> Result<(), sled::Error> {
        self.tree.apply_batch(batch.pairs)?;
        self.files.settle(&batch.live);
        let mut known = self.known_mut();
        for rewritten in batch.rewritten {
            known.replace(rewritten);
        }
        for (first, place) in batch.moved {
            known.follow(&first, place);
        }
        Ok(())
    }

    /// Forgets the next pages of a group; false when there are none left. Readers are kept out.
    pub(crate) fn forget_some(self, group: [u8; keys::GROUP_BYTES]) -> Result<bool, sled::Error> {
        match self.forgetting(group)? {
            None => Ok(false),
            Some(batch) => self.apply(batch.put_down(self.files)?).map(|()| true),
        }
    }

    /// The batch that forgets the next pages of a group; `None` when there are none left.
    pub(crate) fn forgetting(
        self,
        group: [u8; keys::GROUP_BYTES],
    ) -> Result<Option<PagedBatch>, sled::Error> {
        let pages = self
            .tree
            .range(group.as_slice()..keys::behind(group).as_slice())
            .map(stands_at)
            .take(CLEARED_PER_BATCH_MAX)
            .collect::<Result<Vec<_>, _>>()?;
        if pages.is_empty() {
            return Ok(None);
        }
        let mut batch = PagedBatch::default();
        batch.forget(group, pages);
        Ok(Some(batch))
    }

    /// The batch that has the next pages of a file stand elsewhere, from a place on, and where it goes on from;
    /// `None` there at the end. Good for as long as nothing else writes.
    pub(crate) fn moving(
        self,
        file: FileNumber,
        from: &[u8],
    ) -> Result<(PagedBatch, Option<IVec>), sled::Error> {
        let mut batch = PagedBatch::default();
        let (mut looked_at, mut moved, mut moved_bytes) = (0, 0, 0);
        for found in self.tree.range(from..) {
            let (first, value) = found?;
            if keys::prefix_of(&first).is_none() {
                break;
            }
            let is_enough = looked_at == LOOKED_AT_PER_STEP_MAX
                || moved == MOVED_PER_STEP_MAX
                || moved_bytes >= MOVED_BYTES_PER_STEP_MAX;
            if is_enough {
                return Ok((batch, Some(first)));
            }
            looked_at += 1;
            let place = PagePlace::decode(&value).map_err(no_page)?;
            if place.file == file {
                let bytes = self.files.read(place)?;
                moved += 1;
                moved_bytes += bytes.len();
                batch.move_page(first, place, bytes);
            }
        }
        Ok((batch, None))
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

fn stands_at(found: Result<(IVec, IVec), sled::Error>) -> Result<(IVec, PagePlace), sled::Error> {
    let (first, place) = found?;
    Ok((first, PagePlace::decode(&place).map_err(no_page)?))
}

/// Pairs of one group in order, read page by page.
pub(crate) struct Pairs<'a> {
    page: Option<Bytes>,
    /// The next pair of the page.
    at: usize,
    /// The pages behind it; `None` where it holds all that is asked for.
    pages: Option<sled::Iter>,
    files: &'a PageFiles,
    until: Vec<u8>,
}

impl Pairs<'_> {
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
            let Some(next) = next else {
                return Ok(None);
            };
            let (_, place) = stands_at(next)?;
            (self.page, self.at) = (Some(self.files.read(place)?), 0);
        }
    }
}

/// What is read of files and of the engine is checked there, so that these bytes are as they were written.
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
            let held = Pages::new(self.tree, self.files, &none).find(&page.first);
            let held = held.expect("the engine is well");
            let held = held.expect("a page at hand is in the engine");
            assert_eq!(held.first, page.first);
            assert_eq!(held.until, page.until, "where {:?} ends", page.first);
            assert!(held.bytes == page.bytes, "{:?} is old", page.first);
            assert_eq!(held.place, page.place, "where {:?} stands", page.first);
        }
        known.each().count()
    }
}

#[cfg(test)]
mod tests;
