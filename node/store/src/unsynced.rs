//! How much a power cut could tear of what was written.

use crate::limits::UNTORN_BYTES_MAX;

/// What may not be durable yet, in bytes that may have been added to the log.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    pub(crate) written: u64,
    /// Of these, what a sync is known to have covered.
    durable: u64,
}

impl Unsynced {
    /// Whether a power cut could tear it once so many bytes more are written.
    pub(crate) fn may_tear_with(&self, log_bytes: usize) -> bool {
        let unsynced = (self.written - self.durable).saturating_add(log_bytes as u64);
        unsynced > UNTORN_BYTES_MAX as u64
    }

    /// A sync ended before which so many bytes had been written.
    pub(crate) fn cover(&mut self, written: u64) {
        self.durable = self.durable.max(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_syncs_at_once_cover_only_what_was_written_before_they_began() {
        let mut unsynced = Unsynced::default();
        unsynced.written += UNTORN_BYTES_MAX as u64;
        assert!(!unsynced.may_tear_with(0) && unsynced.may_tear_with(1));
        let (one, other) = (unsynced.written, unsynced.written);
        unsynced.cover(one);
        unsynced.written += UNTORN_BYTES_MAX as u64 + 1;
        unsynced.cover(other);
        assert!(unsynced.may_tear_with(0));
        unsynced.cover(unsynced.written);
        assert!(!unsynced.may_tear_with(UNTORN_BYTES_MAX));
    }
}
