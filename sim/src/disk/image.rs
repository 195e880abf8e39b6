//! The bytes of a file: sparse, so that preallocated segments cost nothing, and cheap to copy.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes held together; a multiple of a sector.
const PAGE: usize = 4_096;
const PAGE_U64: u64 = 4_096;

/// The bytes of a file at one moment. What was never written is zero.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    length: u64,
    pages: BTreeMap<u64, Arc<[u8; PAGE]>>,
}

impl Image {
    /// Length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` from `offset`; false, with nothing read, if that goes past the end.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> bool {
        let fits = end_of(offset, buffer.len()).is_some_and(|end| end <= self.length);
        if !fits {
            return false;
        }
        for piece in pieces(offset, buffer.len()) {
            let target = &mut buffer[piece.start..piece.start + piece.length];
            match self.pages.get(&piece.page) {
                Some(page) => target.copy_from_slice(&page[piece.within..][..piece.length]),
                None => target.fill(0),
            }
        }
        true
    }

    /// Writes at `offset`, growing the file with zeros if needed.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        for piece in pieces(offset, bytes.len()) {
            let page = self
                .pages
                .entry(piece.page)
                .or_insert_with(|| Arc::new([0; PAGE]));
            let target = &mut Arc::make_mut(page)[piece.within..][..piece.length];
            target.copy_from_slice(&bytes[piece.start..piece.start + piece.length]);
        }
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.length = self.length.max(end);
    }

    /// Cuts or grows the file; what is cut off is zero if it grows again.
    pub(crate) fn set_length(&mut self, length: u64) {
        if length < self.length {
            let (page, within) = place(length);
            self.pages.split_off(&(page + 1));
            if let Some(last) = self.pages.get_mut(&page) {
                Arc::make_mut(last)[within..].fill(0);
            }
        }
        self.length = length;
    }
}

/// Where a file may end: `None` past the largest offset.
pub(crate) fn end_of(offset: u64, length: usize) -> Option<u64> {
    offset.checked_add(u64::try_from(length).ok()?)
}

struct Piece {
    page: u64,
    within: usize,
    start: usize,
    length: usize,
}

fn place(offset: u64) -> (u64, usize) {
    let within = usize::try_from(offset % PAGE_U64).expect("a remainder of a page is small");
    (offset / PAGE_U64, within)
}

/// The pages a range touches, and which part of the range each holds.
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = Piece> {
    let (mut page, mut within) = place(offset);
    let mut start = 0;
    std::iter::from_fn(move || {
        let piece = Piece {
            page,
            within,
            start,
            length: (PAGE - within).min(length - start),
        };
        if piece.length == 0 {
            return None;
        }
        start += piece.length;
        page += 1;
        within = 0;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Dice;

    #[test]
    fn it_behaves_as_a_plain_vector_does() {
        let mut dice = Dice::new(5);
        let mut image = Image::default();
        let mut plain: Vec<u8> = Vec::new();
        for step in 0..2_000_u32 {
            let offset = dice.index(20_000);
            if dice.below(5) == 0 {
                plain.resize(offset, 0);
                image.set_length(offset as u64);
            } else {
                let mut bytes = vec![0; dice.index(9_000)];
                dice.fill(&mut bytes);
                let end = offset + bytes.len();
                plain.resize(plain.len().max(end), 0);
                plain[offset..end].copy_from_slice(&bytes);
                image.write(offset as u64, &bytes);
            }
            assert_eq!(image.length(), plain.len() as u64, "step {step}");
            let from = dice.index(plain.len() + 1);
            let mut read = vec![1; plain.len() - from];
            assert!(image.read(from as u64, &mut read));
            assert_eq!(read, plain[from..], "step {step}");
        }
    }

    #[test]
    fn reading_past_the_end_reads_nothing() {
        let mut image = Image::default();
        image.write(0, b"abc");
        let mut buffer = [9; 2];
        assert!(!image.read(2, &mut buffer));
        assert!(!image.read(u64::MAX, &mut buffer));
        assert_eq!(buffer, [9; 2]);
    }
}
