//! Civil time of this machine.

use std::time::{SystemTime, UNIX_EPOCH};

use tongban_runtime::seams::WallClock;
use tongban_types::Timestamp;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> Timestamp {
        // Before 1970 a machine's clock is unset; groups refuse its acts as skewed.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
