//! How long to wait before dialing again: exponential with full jitter, so that nodes that lost the
//! same peer do not come back to it in step.

use std::time::Duration;

/// Doublings after which the wait no longer grows; keeps the shift below from overflowing.
const DOUBLINGS_MAX: u32 = 16;

/// Bounds of the wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// Longest wait after the first failure.
    pub(crate) first: Duration,
    /// Longest wait ever.
    pub(crate) cap: Duration,
}

impl Backoff {
    /// The longest wait after `failures` failures in a row.
    fn ceiling(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        self.first.saturating_mul(1 << doublings).min(self.cap)
    }

    /// A wait drawn uniformly from zero to the ceiling by a uniformly drawn `draw`.
    pub(crate) fn wait(self, failures: u32, draw: u64) -> Duration {
        let ceiling_us = u64::try_from(self.ceiling(failures).as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(draw % ceiling_us.max(1))
    }
}

/// A number to draw the wait with. Should the machine have no randomness, waits lose their jitter
/// and nothing else.
pub(crate) fn draw() -> u64 {
    getrandom::u64().unwrap_or(u64::MAX / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_millis(100),
        cap: Duration::from_secs(10),
    };

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings: Vec<_> = [0, 1, 2, 3, 7, 8, u32::MAX]
            .into_iter()
            .map(|failures| BACKOFF.ceiling(failures).as_millis())
            .collect();
        assert_eq!(ceilings, [100, 100, 200, 400, 6_400, 10_000, 10_000]);
    }

    #[test]
    fn a_wait_lies_anywhere_below_its_ceiling() {
        assert_eq!(BACKOFF.wait(1, 0), Duration::ZERO);
        assert_eq!(BACKOFF.wait(1, 99_999), Duration::from_micros(99_999));
        assert!(BACKOFF.wait(30, u64::MAX) < BACKOFF.cap);
    }
}
