//! Bytes without end that nothing compresses and no two files have in common.

use bytes::Bytes;

/// A generator of them: xorshift64* (Vigna, doi:10.1145/2845077).
#[derive(Debug)]
pub(super) struct Noise(u64);

impl Noise {
    /// Another beginning gives other bytes.
    pub(super) const fn of(seed: u64) -> Self {
        // From zero it would never come away.
        Self(seed | 1)
    }

    /// The next bytes.
    pub(super) fn take(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length + size_of::<u64>());
        while bytes.len() < length {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.truncate(length);
        Bytes::from(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_their_length_and_nothing_in_common() {
        let (mut noise, mut other) = (Noise::of(0), Noise::of(2));
        let (one, next) = (noise.take(100), noise.take(100));
        assert_eq!((one.len(), next.len()), (100, 100));
        assert_ne!(one, next);
        assert_ne!(one, other.take(100));
    }
}
