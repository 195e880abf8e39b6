//! Randomness of one machine, drawn from the seed: keys, salts and jitter repeat with it.

use std::sync::Mutex;

use tongban_runtime::seams::Entropy;

use crate::runtime::{Dice, Owner, World, lock};

/// A machine's source of bytes. Every start of the machine gets a stream of its own: a machine that
/// drew the same salt after a crash would be a fault no real one has.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<Dice>);

impl SeededEntropy {
    /// The source of a machine's n-th start in this world.
    pub fn new(owner: Owner, start: u32) -> Self {
        let number = u64::from(owner.number()) << 32 | u64::from(start);
        Self(Mutex::new(World::dice("entropy", number)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        lock(&self.0).fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_repeat_with_the_seed_and_with_nothing_else() {
        let draw = |seed, owner, start| -> [u8; 24] {
            World::reset(seed);
            SeededEntropy::new(Owner::new(owner), start).array()
        };
        assert_eq!(draw(1, 1, 1), draw(1, 1, 1));
        assert_ne!(draw(1, 1, 1), draw(2, 1, 1));
        assert_ne!(draw(1, 1, 1), draw(1, 2, 1));
        assert_ne!(draw(1, 1, 1), draw(1, 1, 2));
    }
}
