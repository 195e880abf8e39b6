//! A page: pairs of one group in key order, packed together, of which the engine knows where they stand. It pays for
//! each of its own pairs many times what packing one costs. No engine and no locks here, only bytes.
//!
//! A page is the count of its pairs, where each of them begins, then for each the lengths of key and
//! value, the key and the value; all numbers are `u16`, big-endian.

use crate::limits::{FRESH_PART_MIN, PAGE_BYTES, PAGE_BYTES_MAX, PAGE_BYTES_MIN};

/// Bytes a pair takes besides key and value: where it begins and two lengths.
pub(crate) const PAIR_BYTES: usize = 6;

const COUNT_BYTES: usize = 2;

/// A key and its value.
pub(crate) type PairRef<'a> = (&'a [u8], &'a [u8]);

/// A key and what becomes of it: a value, or `None` where it is gone.
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// A page as it is to be written: its first key and its bytes.
pub(crate) type NewPage = (Vec<u8>, Vec<u8>);

/// Bytes that are no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A page as it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Page<'a> {
    /// Reads the count; pairs are checked as they are read.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let count = number_at(bytes, 0)?;
        Ok(Self { bytes, count })
    }

    /// Pairs in it.
    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// The pair at a place below the count.
    pub(crate) fn pair(self, index: usize) -> Result<PairRef<'a>, Malformed> {
        let at = number_at(self.bytes, COUNT_BYTES + 2 * index)?;
        let key_bytes = number_at(self.bytes, at)?;
        let value_bytes = number_at(self.bytes, at + 2)?;
        let rest = self.bytes.get(at + 4..).ok_or(Malformed)?;
        let (key, rest) = rest.split_at_checked(key_bytes).ok_or(Malformed)?;
        Ok((key, rest.get(..value_bytes).ok_or(Malformed)?))
    }

    /// The place of the first pair whose key is not below `key`; the count if there is none.
    pub(crate) fn lower_bound(self, key: &[u8]) -> Result<usize, Malformed> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.pair(middle)?.0 < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The value of a key.
    pub(crate) fn get(self, key: &[u8]) -> Result<Option<&'a [u8]>, Malformed> {
        let at = self.lower_bound(key)?;
        if at == self.count {
            return Ok(None);
        }
        let (found, value) = self.pair(at)?;
        Ok((found == key).then_some(value))
    }
}

fn number_at(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let two = bytes.get(at..at + 2).ok_or(Malformed)?;
    Ok(usize::from(two[0]) << 8 | usize::from(two[1]))
}

/// The pages that hold what a page held and what changed since, in key order, each with its first
/// key; none when nothing is left. `before` is the page as it was, `changes` are in key order.
pub(crate) fn rewrite(
    before: Option<Page<'_>>,
    changes: &[Change<'_>],
) -> Result<Vec<NewPage>, Malformed> {
    let held = match before {
        Some(page) => (0..page.count())
            .map(|index| page.pair(index))
            .collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let is_appended = match (held.last(), changes.first()) {
        (Some((last, _)), Some((first, _))) => last < first,
        _ => true,
    };
    let pairs = merge(&held, changes);
    let fresh: usize = changes
        .iter()
        .map(|(key, value)| size_of_pair(key, value.unwrap_or_default()))
        .sum();
    let whole: usize = pairs
        .iter()
        .map(|(key, value)| size_of_pair(key, value))
        .sum();
    let target = if is_appended {
        PAGE_BYTES
    } else {
        target_of(whole, fresh)
    };
    Ok(cut(&pairs, target)
        .into_iter()
        .map(|piece| (piece[0].0.to_vec(), encode(piece)))
        .collect())
}

/// How large the pages of one that was changed in its middle become: of equal size, and half as large
/// as before where it was rewritten for little, so that what changes here and there ends up in small pages.
fn target_of(whole: usize, fresh: usize) -> usize {
    let pieces = whole.div_ceil(PAGE_BYTES).max(1);
    let pieces = if whole > FRESH_PART_MIN * fresh && whole > 2 * PAGE_BYTES_MIN {
        pieces.max(2)
    } else {
        pieces
    };
    whole.div_ceil(pieces)
}

fn size_of_pair(key: &[u8], value: &[u8]) -> usize {
    PAIR_BYTES + key.len() + value.len()
}

fn merge<'a>(held: &[PairRef<'a>], changes: &[Change<'a>]) -> Vec<PairRef<'a>> {
    let mut pairs = Vec::with_capacity(held.len() + changes.len());
    let mut held = held.iter().copied().peekable();
    for (key, value) in changes {
        while let Some(pair) = held.next_if(|(before, _)| before < key) {
            pairs.push(pair);
        }
        let _replaced = held.next_if(|(before, _)| before == key);
        if let Some(value) = value {
            pairs.push((*key, *value));
        }
    }
    pairs.extend(held);
    pairs
}

/// Cuts pairs into pages: each as full as `target` allows, a larger pair alone.
fn cut<'a, 'b>(pairs: &'b [PairRef<'a>], target: usize) -> Vec<&'b [PairRef<'a>]> {
    let mut pieces = Vec::new();
    let (mut from, mut bytes) = (0, COUNT_BYTES);
    for (at, (key, value)) in pairs.iter().enumerate() {
        let size = size_of_pair(key, value);
        // A page begun is filled past an equal share rather than leaving a rest behind.
        if at > from && (bytes >= target || bytes + size > PAGE_BYTES) {
            pieces.push(&pairs[from..at]);
            (from, bytes) = (at, COUNT_BYTES);
        }
        bytes += size;
    }
    if from < pairs.len() {
        pieces.push(&pairs[from..]);
    }
    pieces
}

fn encode(pairs: &[PairRef<'_>]) -> Vec<u8> {
    let size: usize = pairs
        .iter()
        .map(|(key, value)| size_of_pair(key, value))
        .sum();
    let mut page = Vec::with_capacity(COUNT_BYTES + size);
    let number = |page: &mut Vec<u8>, number: usize| {
        let number = u16::try_from(number).expect("a page is at most PAGE_BYTES_MAX long");
        page.extend_from_slice(&number.to_be_bytes());
    };
    number(&mut page, pairs.len());
    let mut at = COUNT_BYTES + 2 * pairs.len();
    for (key, value) in pairs {
        number(&mut page, at);
        at += 4 + key.len() + value.len();
    }
    for (key, value) in pairs {
        number(&mut page, key.len());
        number(&mut page, value.len());
        page.extend_from_slice(key);
        page.extend_from_slice(value);
    }
    debug_assert!(page.len() <= PAGE_BYTES_MAX);
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn changes(map: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Vec<Change<'_>> {
        map.iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref()))
            .collect()
    }

    fn all(pages: &[(Vec<u8>, Vec<u8>)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut pairs = Vec::new();
        for (first, bytes) in pages {
            let page = Page::open(bytes).unwrap();
            assert_eq!(page.pair(0).unwrap().0, first.as_slice());
            for index in 0..page.count() {
                let (key, value) = page.pair(index).unwrap();
                assert_eq!(page.get(key).unwrap(), Some(value));
                pairs.push((key.to_vec(), value.to_vec()));
            }
        }
        pairs
    }

    fn number(number: u32) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    #[test]
    fn what_is_appended_fills_pages_and_what_changes_here_and_there_makes_them_small() {
        let fresh: BTreeMap<_, _> = (0..1_000_u32)
            .map(|key| (number(2 * key), Some(vec![1; 100])))
            .collect();
        let pages = rewrite(None, &changes(&fresh)).unwrap();
        assert_eq!(all(&pages).len(), 1_000);
        let is_full = |page: &(Vec<u8>, Vec<u8>)| page.1.len() > PAGE_BYTES - 200;
        assert!(pages[..pages.len() - 1].iter().all(is_full));

        let mut page = pages[0].1.clone();
        for turn in 0..12 {
            let one = BTreeMap::from([(number(2 * turn + 1), Some(vec![2; 100]))]);
            let pages = rewrite(Some(Page::open(&page).unwrap()), &changes(&one)).unwrap();
            page = pages[0].1.clone();
        }
        assert!(page.len() <= 2 * PAGE_BYTES_MIN + 200, "{}", page.len());
        assert!(page.len() >= PAGE_BYTES_MIN / 2, "{}", page.len());
    }

    #[test]
    fn changes_replace_add_and_remove() {
        let held = BTreeMap::from([
            (b"b".to_vec(), Some(b"1".to_vec())),
            (b"c".to_vec(), Some(b"2".to_vec())),
        ]);
        let pages = rewrite(None, &changes(&held)).unwrap();
        let page = Page::open(&pages[0].1).unwrap();
        assert_eq!(page.get(b"a").unwrap(), None);
        assert_eq!(page.get(b"bb").unwrap(), None);
        assert_eq!(page.get(b"d").unwrap(), None);
        let some = BTreeMap::from([
            (b"a".to_vec(), Some(b"3".to_vec())),
            (b"b".to_vec(), None),
            (b"c".to_vec(), Some(Vec::new())),
            (b"d".to_vec(), None),
        ]);
        let pages = rewrite(Some(page), &changes(&some)).unwrap();
        let expected = vec![(b"a".to_vec(), b"3".to_vec()), (b"c".to_vec(), Vec::new())];
        assert_eq!(all(&pages), expected);
        let none = BTreeMap::from([(b"a".to_vec(), None), (b"c".to_vec(), None)]);
        let page = Page::open(&pages[0].1).unwrap();
        assert!(rewrite(Some(page), &changes(&none)).unwrap().is_empty());
    }

    #[test]
    fn bytes_that_are_no_page_are_refused() {
        assert_eq!(Page::open(&[0]).err(), Some(Malformed));
        let pages = rewrite(None, &[(b"key", Some(b"value"))]).unwrap();
        let whole = &pages[0].1;
        for length in 2..whole.len() {
            let page = Page::open(&whole[..length]).unwrap();
            assert_eq!(page.get(b"key"), Err(Malformed));
        }
    }
}
