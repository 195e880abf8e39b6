//! Where the bytes of a page stand, as the engine keeps it in the page's stead.

use crate::page::Malformed;

/// Names a file of pages. Higher ones were begun later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileNumber(pub(crate) u32);

/// Where the bytes of a page stand among the files of pages, and their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PagePlace {
    /// The file.
    pub(crate) file: FileNumber,
    /// At which byte of it they begin.
    pub(crate) at: u32,
    /// How many they are.
    pub(crate) bytes: u32,
    /// CRC-32C (RFC 3720, section 12.1) over them.
    pub(crate) sum: u32,
}

impl PagePlace {
    /// Bytes of one as it is written: four numbers, big-endian.
    pub(crate) const BYTES: usize = 16;

    pub(crate) fn encode(self) -> [u8; Self::BYTES] {
        let numbers = [self.file.0, self.at, self.bytes, self.sum];
        let mut whole = [0; Self::BYTES];
        for (piece, number) in whole.chunks_exact_mut(4).zip(numbers) {
            piece.copy_from_slice(&number.to_be_bytes());
        }
        whole
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() != Self::BYTES {
            return Err(Malformed);
        }
        let mut numbers = bytes
            .chunks_exact(4)
            .map(|piece| u32::from_be_bytes(piece.try_into().expect("four bytes")));
        let mut next = || numbers.next().ok_or(Malformed);
        Ok(Self {
            file: FileNumber(next()?),
            at: next()?,
            bytes: next()?,
            sum: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_nothing_else_is_one() {
        let place = PagePlace {
            file: FileNumber(1),
            at: 0x0203_0405,
            bytes: 16_384,
            sum: u32::MAX,
        };
        let written = place.encode();
        assert_eq!(PagePlace::decode(&written), Ok(place));
        assert_eq!(PagePlace::decode(&written[1..]), Err(Malformed));
        let longer = [written.as_slice(), &[0]].concat();
        assert_eq!(PagePlace::decode(&longer), Err(Malformed));
    }
}
