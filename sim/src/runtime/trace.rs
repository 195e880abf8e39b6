//! The running hash of everything that happened, in the order it happened. Two runs with the same
//! hash did the same; it is no cryptographic hash and protects against nothing but accidents.

/// The value of a trace: hash and number of the events mixed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceHash {
    /// 64 bits over all events.
    pub hash: u64,
    /// How many events were mixed in.
    pub events: u64,
}

impl std::fmt::Display for TraceHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.hash)
    }
}

/// A trace under way.
#[derive(Clone, Debug)]
pub struct Trace {
    state: u64,
    events: u64,
}

/// Odd constants of high entropy, from wyhash (Wang Yi, 2019).
const FOLD: u64 = 0xa076_1d64_78bd_642f;
const STEP: u64 = 0xe703_7ed1_a0b4_28db;

impl Default for Trace {
    fn default() -> Self {
        Self {
            state: 0x8ebc_6af0_9c88_c6e3,
            events: 0,
        }
    }
}

impl Trace {
    /// Mixes one event of four words.
    pub fn event(&mut self, words: [u64; 4]) {
        self.events += 1;
        let low = fold(words[0] ^ FOLD, words[1] ^ self.state);
        let high = fold(words[2] ^ STEP, words[3] ^ self.state.rotate_left(32));
        self.state = fold(low ^ self.events, high ^ FOLD);
    }

    /// Hash and count so far.
    pub fn value(&self) -> TraceHash {
        TraceHash {
            hash: self.state,
            events: self.events,
        }
    }
}

/// A hash of bytes, to be one word of an event.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut state = FOLD ^ u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        state = fold(state ^ word, STEP);
    }
    let mut last = [0; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    fold(state ^ u64::from_le_bytes(last), FOLD)
}

/// The two halves of the product, xored. A zero operand would swallow the other, so the state's
/// own bits are added back.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let bytes = product.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    let low = u64::from_le_bytes(low.try_into().expect("half of sixteen bytes"));
    let high = u64::from_le_bytes(high.try_into().expect("half of sixteen bytes"));
    low ^ high ^ b.rotate_left(23) ^ a.rotate_left(41)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_the_order_of_events_change_the_hash() {
        let hash_of = |events: &[[u64; 4]]| {
            let mut trace = Trace::default();
            for event in events {
                trace.event(*event);
            }
            trace.value()
        };
        let base = hash_of(&[[1, 2, 3, 4], [5, 6, 7, 8]]);
        assert_eq!(base.events, 2);
        for (event, word) in (0..2).flat_map(|event| (0..4).map(move |word| (event, word))) {
            let mut changed = [[1, 2, 3, 4], [5, 6, 7, 8]];
            changed[event][word] ^= 1;
            assert_ne!(hash_of(&changed), base, "event {event} word {word}");
        }
        assert_ne!(hash_of(&[[5, 6, 7, 8], [1, 2, 3, 4]]), base);
        assert_ne!(hash_of(&[[0; 4]]), hash_of(&[[0; 4], [0; 4]]));
    }

    #[test]
    fn bytes_that_differ_anywhere_hash_apart() {
        let base = vec![7; 37];
        let hash = hash_bytes(&base);
        for position in 0..base.len() {
            let mut changed = base.clone();
            changed[position] ^= 1;
            assert_ne!(hash_bytes(&changed), hash, "byte {position}");
        }
        assert_ne!(hash_bytes(&[0; 8]), hash_bytes(&[0; 9]));
        assert_ne!(hash_bytes(&[]), hash_bytes(&[0]));
    }
}
