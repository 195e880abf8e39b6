//! Readings of a machine's monotonic clock. Instants of two machines have nothing to do with each
//! other, as in life.

use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use super::dice::nanoseconds;
use super::executor;

/// One reading, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimInstant(u64);

impl SimInstant {
    /// The instant of a clock's reading.
    pub(crate) const fn from_reading(reading_ns: u64) -> Self {
        Self(reading_ns)
    }

    /// The clock's reading.
    pub(crate) const fn reading(self) -> u64 {
        self.0
    }
}

impl openraft_rt::Instant for SimInstant {
    fn now() -> Self {
        Self(executor::with(|world| {
            world.clock(world.owner()).reading(world.now_ns)
        }))
    }
}

impl Add<Duration> for SimInstant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(duration)))
    }
}

impl AddAssign<Duration> for SimInstant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for SimInstant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(duration)))
    }
}

impl SubAssign<Duration> for SimInstant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub for SimInstant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}
