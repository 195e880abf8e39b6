//! Pages at hand: those read or written lately, each with the places it answers for. No engine and no
//! locks here; whoever has both keeps them alike.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use sled::IVec;

use crate::page_place::PagePlace;

/// Bytes a page at hand takes besides its own and its two places, about: it stands in a map that keeps
/// room for more, and each of the three is an allocation.
const ENTRY_BYTES: usize = 256;

/// A page and the places it answers for: from where it stands up to where the next page of its group
/// does, or the group ends. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KnownPage {
    pub(crate) first: IVec,
    pub(crate) until: IVec,
    pub(crate) bytes: Bytes,
    /// Where its bytes stand in files.
    pub(crate) place: PagePlace,
}

/// What took the place of one page, of none, or of all of a group.
pub(crate) struct Rewritten {
    /// Where it stood, or the first place that had no page.
    pub(crate) first: IVec,
    /// Where what was written ends.
    pub(crate) until: IVec,
    /// The pages in its place, in order; none if all its pairs are gone.
    pub(crate) pages: Vec<KnownPage>,
}

/// The pages at hand. They never overlap, and each ends exactly where the engine's next one begins: a
/// page thought longer than it is would answer for what stands on the next, and one thought shorter would
/// be written twice in one batch, and lose what was written first.
///
/// When the newer half is full, the older one is forgotten; what is in use is learned again at once.
pub(crate) struct KnownPages {
    newer: Half,
    older: Half,
    half_bytes_max: usize,
}

impl KnownPages {
    /// Keeps pages of about so many bytes, and a page more.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            newer: Half::default(),
            older: Half::default(),
            half_bytes_max: bytes_max / 2,
        }
    }

    /// The page that answers for a place.
    pub(crate) fn find(&self, place: &[u8]) -> Option<&KnownPage> {
        self.newer.find(place).or_else(|| self.older.find(place))
    }

    /// Takes in a page as the engine holds it.
    pub(crate) fn learn(&mut self, page: KnownPage) {
        self.older.remove(&page.first);
        self.hold(page);
    }

    fn hold(&mut self, page: KnownPage) {
        self.newer.insert(page);
        if self.newer.bytes > self.half_bytes_max {
            self.older = std::mem::take(&mut self.newer);
        }
    }

    /// Follows what was written. Of several pages of one batch, in order: what becomes of a page may
    /// change where the one before it ends.
    pub(crate) fn replace(&mut self, rewritten: Rewritten) {
        let Rewritten {
            first,
            until,
            mut pages,
        } = rewritten;
        // Mostly one page in the place of another of the same extent.
        if let [page] = pages.as_slice()
            && self.newer.is_extent_of(page)
        {
            self.hold(pages.remove(0));
            return;
        }
        self.newer.forget(&first, &until);
        self.older.forget(&first, &until);
        if pages.is_empty() {
            // The page before answers for its places too from now on.
            self.newer.forget_ending_at(&first);
            self.older.forget_ending_at(&first);
        }
        for page in pages {
            self.learn(page);
        }
    }

    /// Follows a page whose bytes stand elsewhere now, if it is at hand.
    pub(crate) fn follow(&mut self, first: &[u8], place: PagePlace) {
        for half in [&mut self.newer, &mut self.older] {
            if let Some(page) = half.pages.get_mut(first) {
                page.place = place;
            }
        }
    }

    /// Every page at hand.
    #[cfg(test)]
    pub(crate) fn each(&self) -> impl Iterator<Item = &KnownPage> {
        self.newer.pages.values().chain(self.older.pages.values())
    }
}

/// Pages by where they stand.
#[derive(Default)]
struct Half {
    pages: BTreeMap<IVec, KnownPage>,
    bytes: usize,
}

impl Half {
    fn find(&self, place: &[u8]) -> Option<&KnownPage> {
        let range: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Unbounded, Bound::Included(place));
        let (_, page) = self.pages.range::<[u8], _>(range).next_back()?;
        (*place < *page.until).then_some(page)
    }

    /// Whether a page is held of exactly these places.
    fn is_extent_of(&self, page: &KnownPage) -> bool {
        let held = self.pages.get(&page.first);
        held.is_some_and(|held| held.until == page.until)
    }

    fn insert(&mut self, page: KnownPage) {
        self.bytes += size_of_page(&page);
        if let Some(before) = self.pages.insert(page.first.clone(), page) {
            self.bytes -= size_of_page(&before);
        }
    }

    fn remove(&mut self, first: &[u8]) {
        if let Some(page) = self.pages.remove(first) {
            self.bytes -= size_of_page(&page);
        }
    }

    /// Forgets the pages that stand from one place up to another.
    fn forget(&mut self, from: &[u8], until: &[u8]) {
        let range = (Bound::Included(from), Bound::Excluded(until));
        let firsts: Vec<IVec> = self
            .pages
            .range::<[u8], _>(range)
            .map(|(first, _)| first.clone())
            .collect();
        for first in firsts {
            self.remove(&first);
        }
    }

    fn forget_ending_at(&mut self, end: &[u8]) {
        let range: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Unbounded, Bound::Excluded(end));
        let before = self.pages.range::<[u8], _>(range).next_back();
        let ending = before
            .filter(|(_, page)| *page.until == *end)
            .map(|(first, _)| first.clone());
        if let Some(first) = ending {
            self.remove(&first);
        }
    }
}

fn size_of_page(page: &KnownPage) -> usize {
    page.first.len() + page.until.len() + page.bytes.len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_place::FileNumber;

    const PLACE: PagePlace = PagePlace {
        file: FileNumber(0),
        at: 0,
        bytes: 1,
        sum: 0,
    };

    fn page(first: &str, until: &str, bytes: &[u8]) -> KnownPage {
        KnownPage {
            first: IVec::from(first),
            until: IVec::from(until),
            bytes: Bytes::copy_from_slice(bytes),
            place: PLACE,
        }
    }

    fn rewritten(first: &str, until: &str, pages: Vec<KnownPage>) -> Rewritten {
        Rewritten {
            first: IVec::from(first),
            until: IVec::from(until),
            pages,
        }
    }

    fn bytes_at<'a>(known: &'a KnownPages, place: &str) -> Option<&'a [u8]> {
        let page = known.find(place.as_bytes())?;
        Some(page.bytes.as_ref())
    }

    #[test]
    fn a_page_answers_from_where_it_stands_up_to_the_next() {
        let mut known = KnownPages::new(1 << 20);
        known.learn(page("b", "d", b"1"));
        known.learn(page("f", "h", b"2"));
        for (place, bytes) in [
            ("a", None),
            ("b", Some(b"1".as_slice())),
            ("czz", Some(b"1".as_slice())),
            ("d", None),
            ("f", Some(b"2".as_slice())),
            ("h", None),
        ] {
            assert_eq!(bytes_at(&known, place), bytes, "{place}");
        }
    }

    #[test]
    fn what_was_written_takes_the_place_of_what_stood_there() {
        let mut known = KnownPages::new(1 << 20);
        known.learn(page("b", "f", b"old"));
        known.learn(page("f", "h", b"other"));
        let halves = vec![page("b", "d", b"left"), page("d", "f", b"right")];
        known.replace(rewritten("b", "f", halves));
        assert_eq!(bytes_at(&known, "c"), Some(b"left".as_slice()));
        assert_eq!(bytes_at(&known, "e"), Some(b"right".as_slice()));
        assert_eq!(bytes_at(&known, "g"), Some(b"other".as_slice()));
    }

    #[test]
    fn the_page_before_one_that_went_is_forgotten_too_even_if_just_written() {
        let mut known = KnownPages::new(1 << 20);
        known.learn(page("b", "d", b"1"));
        known.learn(page("d", "f", b"2"));
        known.learn(page("f", "h", b"3"));
        known.replace(rewritten("b", "d", vec![page("b", "d", b"4")]));
        known.replace(rewritten("d", "f", Vec::new()));
        assert_eq!(bytes_at(&known, "b"), None);
        assert_eq!(bytes_at(&known, "d"), None);
        assert_eq!(bytes_at(&known, "f"), Some(b"3".as_slice()));
    }

    #[test]
    fn what_was_learned_long_ago_goes_first_and_the_bytes_stay_bounded() {
        let bytes_max = 40 * (ENTRY_BYTES + 100);
        let mut known = KnownPages::new(bytes_max);
        let place = |number: u32| format!("{number:05}");
        for number in 0..1_000 {
            known.learn(page(&place(number), &place(number + 1), &[0; 90]));
            assert!(bytes_at(&known, &place(number)).is_some());
            assert!(known.newer.bytes + known.older.bytes <= bytes_max + ENTRY_BYTES + 100);
        }
        assert!(bytes_at(&known, &place(990)).is_some());
        assert!(bytes_at(&known, &place(900)).is_none());
    }

    #[test]
    fn a_page_is_in_one_half_alone_and_counted_once() {
        let size = ENTRY_BYTES + 8;
        let mut known = KnownPages::new(2 * size);
        for round in 0..9 {
            known.replace(rewritten("b", "d", vec![page("b", "d", &[round; 6])]));
            assert_eq!(bytes_at(&known, "b"), Some([round; 6].as_slice()));
            known.learn(page("d", "f", &[round; 6]));
            assert_eq!(bytes_at(&known, "d"), Some([round; 6].as_slice()));
            assert_eq!(known.each().count(), 2);
            assert_eq!(known.newer.bytes + known.older.bytes, 2 * size);
        }
    }

    #[test]
    fn a_group_forgotten_leaves_the_others() {
        let mut known = KnownPages::new(1 << 20);
        known.learn(page("a", "b", b"1"));
        known.learn(page("b", "bm", b"2"));
        known.learn(page("bm", "c", b"3"));
        known.learn(page("c", "d", b"4"));
        known.replace(rewritten("b", "c", Vec::new()));
        assert_eq!(bytes_at(&known, "b"), None);
        assert_eq!(bytes_at(&known, "bz"), None);
        assert_eq!(bytes_at(&known, "c"), Some(b"4".as_slice()));
    }
}
