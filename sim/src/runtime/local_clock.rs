//! The monotonic clock of one machine: true time, shifted and running a little fast or slow. The
//! civil clock is `crate::clock`.

use std::time::Duration;

use super::dice::nanoseconds;

/// How a machine's monotonic clock differs from true time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSkew {
    /// How far it is ahead when it is set.
    pub ahead: Duration,
    /// Parts in a million by which it runs fast; negative if slow. Taken within ±900,000.
    pub drift_ppm: i32,
}

/// Readings begin here, so that subtracting durations from an early instant stays above zero: a bit
/// under two weeks.
const FIRST_READING_NS: u64 = 1 << 50;

/// Nanoseconds of true time in which a drift of one part in a million makes one nanosecond.
const PPM: u64 = 1_000_000;

/// A machine's monotonic clock. Setting it anew never turns it back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalClock {
    since_true_ns: u64,
    since_local_ns: u64,
    /// Local nanoseconds in a million true ones.
    rate: u64,
}

impl Default for LocalClock {
    fn default() -> Self {
        Self {
            since_true_ns: 0,
            since_local_ns: FIRST_READING_NS,
            rate: PPM,
        }
    }
}

impl LocalClock {
    /// The clock of another skew from `now` on.
    pub(crate) fn skewed(self, now_true_ns: u64, skew: ClockSkew) -> Self {
        let drift = i64::from(skew.drift_ppm).clamp(-900_000, 900_000);
        let rate = PPM.checked_add_signed(drift);
        Self {
            since_true_ns: now_true_ns,
            since_local_ns: self.reading(now_true_ns) + nanoseconds(skew.ahead),
            rate: rate.expect("a drift above -900,000 ppm leaves a rate above zero"),
        }
    }

    /// What the clock shows at a true time.
    pub(crate) fn reading(&self, true_ns: u64) -> u64 {
        let elapsed = true_ns.saturating_sub(self.since_true_ns);
        if self.rate == PPM {
            return self.since_local_ns + elapsed;
        }
        let whole = (elapsed / PPM) * self.rate;
        let rest = (elapsed % PPM) * self.rate / PPM;
        self.since_local_ns + whole + rest
    }

    /// The first true time at which the clock shows at least `reading`.
    pub(crate) fn true_time_of(&self, reading: u64) -> u64 {
        let wanted = reading.saturating_sub(self.since_local_ns);
        if self.rate == PPM {
            return self.since_true_ns.saturating_add(wanted);
        }
        let whole = u128::from(wanted) * u128::from(PPM);
        let elapsed = whole.div_ceil(u128::from(self.rate));
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        self.since_true_ns.saturating_add(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_time_of_a_reading_is_the_first_that_shows_it() {
        for drift_ppm in [-900_000, -500, -1, 0, 1, 333, 70_000, 900_000] {
            let skew = ClockSkew {
                ahead: Duration::from_millis(3),
                drift_ppm,
            };
            let clock = LocalClock::default().skewed(17, skew);
            for wanted in [1, 2, 999_999, 1_000_001, 123_456_789_012] {
                let reading = clock.reading(17) + wanted;
                let at = clock.true_time_of(reading);
                assert!(clock.reading(at) >= reading, "{drift_ppm} {wanted}");
                assert!(clock.reading(at - 1) < reading, "{drift_ppm} {wanted}");
            }
        }
    }

    #[test]
    fn setting_a_clock_anew_never_turns_it_back() {
        let fast = ClockSkew {
            ahead: Duration::from_secs(1),
            drift_ppm: 500,
        };
        let clock = LocalClock::default().skewed(0, fast);
        let later = clock.skewed(2_000_000_000, ClockSkew::default());
        assert!(later.reading(2_000_000_000) >= clock.reading(2_000_000_000));
        assert_eq!(
            later.reading(3_000_000_000) - later.reading(2_000_000_000),
            1_000_000_000
        );
    }
}
