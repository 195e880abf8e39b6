//! Once the world is calm every city takes an application in and replicates it within a bound.

use std::time::Duration;

use tongban_types::CityCode;

use super::Violation;

const NAME: &str = "every city serves";

/// An election, an order's time out and another try, with room for a snapshot on the way.
pub const BOUND: Duration = Duration::from_mins(1);

/// Judges how long each city took; `None` where it did not do it at all.
pub fn check(took: &[(CityCode, Option<Duration>)]) -> Result<(), Violation> {
    for (city, took) in took {
        if took.is_none_or(|took| took > BOUND) {
            let what = format!(
                "{city} replicated no application within {} s",
                BOUND.as_secs()
            );
            return Err(Violation::new(NAME, what));
        }
    }
    Ok(())
}
