//! Randomness, drawn only through here so that a seed reproduces a run.

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` whole.
    fn fill(&self, bytes: &mut [u8]);

    /// One uniformly drawn number, for jitter.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// An array of random bytes: a key, a salt, a nonce.
    fn array<const N: usize>(&self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
