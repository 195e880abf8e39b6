//! Seeded draws. `SplitMix64` (Steele, Lea, Flood 2014): one word of state, the same numbers on every
//! machine. Each part of the world draws from its own stream, so that one more draw in one part
//! does not change another.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A probability in millionths, so that no run depends on floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u32);

/// Certainty in millionths.
const CERTAIN: u32 = 1_000_000;

impl Chance {
    /// Never happens, and draws nothing.
    pub const NEVER: Self = Self(0);
    /// Always happens.
    pub const ALWAYS: Self = Self(CERTAIN);

    /// So many in a million; above that, always.
    pub const fn per_million(millionths: u32) -> Self {
        Self(if millionths < CERTAIN {
            millionths
        } else {
            CERTAIN
        })
    }

    /// So many in a hundred; above that, always.
    pub const fn percent(hundredths: u32) -> Self {
        Self::per_million(hundredths.saturating_mul(CERTAIN / 100))
    }
}

impl std::fmt::Display for Chance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:04} %", self.0 / 10_000, self.0 % 10_000)
    }
}

/// One stream of draws.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for one purpose and one number within a seed.
    pub fn stream(seed: u64, purpose: &str, number: u64) -> Self {
        let mut dice = Self::new(seed);
        let mut state = dice.next_u64();
        for byte in purpose.bytes() {
            state = Self::new(state ^ u64::from(byte)).next_u64();
        }
        Self::new(Self::new(state ^ number).next_u64())
    }

    /// One uniform number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the high half of a product of two words is a word")
    }

    /// An index below `length`; 0 if the length is 0.
    pub fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).expect("a number below a usize is one")
    }

    /// Whether something of this chance happens.
    pub fn happens(&mut self, chance: Chance) -> bool {
        chance.0 > 0 && self.below(u64::from(CERTAIN)) < u64::from(chance.0)
    }

    /// A fair coin.
    pub fn coin(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// A length of time within a range, both ends included.
    pub fn within(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let low = nanoseconds(*range.start());
        let high = nanoseconds(*range.end());
        let width = high.saturating_sub(low).saturating_add(1);
        Duration::from_nanos(low.saturating_add(self.below(width)))
    }

    /// Fills bytes with draws.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

/// A length of time in nanoseconds, at most a century: longer waits are for ever here.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    const CENTURY_NS: u64 = 100 * 366 * 86_400 * 1_000_000_000;
    u64::try_from(duration.as_nanos()).map_or(CENTURY_NS, |ns| ns.min(CENTURY_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_splitmix64() {
        let mut dice = Dice::new(1_234_567);
        assert_eq!(dice.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(dice.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_of_one_seed_are_apart() {
        let first = Dice::stream(7, "disk", 1).next_u64();
        assert_ne!(first, Dice::stream(7, "disk", 2).next_u64());
        assert_ne!(first, Dice::stream(7, "net", 1).next_u64());
        assert_ne!(first, Dice::stream(8, "disk", 1).next_u64());
        assert_eq!(first, Dice::stream(7, "disk", 1).next_u64());
    }

    #[test]
    fn a_chance_happens_about_as_often_as_it_says() {
        let mut dice = Dice::new(3);
        let hits = (0..100_000)
            .filter(|_| dice.happens(Chance::percent(20)))
            .count();
        assert!((19_000..21_000).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| !dice.happens(Chance::NEVER)));
        assert!((0..1_000).all(|_| dice.happens(Chance::ALWAYS)));
    }

    #[test]
    fn both_ends_of_a_range_are_drawn() {
        let mut dice = Dice::new(4);
        let range = Duration::from_nanos(3)..=Duration::from_nanos(5);
        let drawn: std::collections::BTreeSet<_> =
            (0..100).map(|_| dice.within(&range).as_nanos()).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
    }
}
