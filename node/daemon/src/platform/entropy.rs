//! Randomness of the operating system.

use tongban_runtime::seams::Entropy;

/// The system's source of randomness.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes)
            .expect("Linux has getrandom since 3.17 and it fails only before boot");
    }
}
