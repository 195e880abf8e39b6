//! Chance that tests can foresee.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::seams::Entropy;

/// Bytes that count up, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}
