//! Counting: each acknowledged case is there once at the receiving city and once at the authority, at
//! whichever of its nodes one asks, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::staging::{Desk, StageError};

/// The last cases may still be on their way.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a count found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Acknowledged cases missing where one of the desks is.
    pub(crate) lost: usize,
    /// Cases twice where one of the desks is, or never acknowledged.
    pub(crate) duplicated: usize,
}

/// Counts at desks of both cities, until all have arrived or have had the time to.
pub(crate) async fn count(
    acknowledged: &BTreeSet<String>,
    intake_code: &str,
    desks: &mut [&mut Desk],
) -> Result<Count, StageError> {
    let begun = Instant::now();
    loop {
        let mut listings = Vec::with_capacity(desks.len());
        for desk in &mut *desks {
            listings.push(desk.all_cases().await?);
        }
        let found = compare(acknowledged, intake_code, &listings);
        if found.lost == 0 || begun.elapsed() > ARRIVAL_TIME_MAX {
            return Ok(found);
        }
        sleep(LOOK_EVERY).await;
    }
}

type Listing = Vec<(String, String)>;

fn compare(acknowledged: &BTreeSet<String>, intake: &str, places: &[Listing]) -> Count {
    let mut missing = BTreeSet::new();
    let mut count = Count::default();
    for place in places {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, _) in place
            .iter()
            .filter(|(_, collected_by)| collected_by == intake)
        {
            *seen.entry(number).or_default() += 1;
        }
        missing.extend(
            acknowledged
                .iter()
                .filter(|number| !seen.contains_key(number.as_str())),
        );
        for (number, times) in seen {
            let allowed = usize::from(acknowledged.contains(number));
            count.duplicated += times.saturating_sub(allowed);
        }
    }
    count.lost = missing.len();
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(numbers: &[&str]) -> Listing {
        numbers
            .iter()
            .map(|number| ((*number).to_owned(), "350100".to_owned()))
            .collect()
    }

    #[test]
    fn a_broken_world_is_found() {
        let acknowledged: BTreeSet<String> = ["1", "2"].map(str::to_owned).into();
        let compare = |here: &[&str], there: &[&str]| {
            compare(&acknowledged, "350100", &[listing(here), listing(there)])
        };
        assert_eq!(compare(&["1", "2"], &["2", "1"]), Count::default());
        assert_eq!(
            compare(&["1"], &["1", "2"]),
            Count {
                lost: 1,
                duplicated: 0
            }
        );
        assert_eq!(
            compare(&["1", "2"], &[]),
            Count {
                lost: 2,
                duplicated: 0
            }
        );
        assert_eq!(
            compare(&["1", "2", "2"], &["1", "2"]),
            Count {
                lost: 0,
                duplicated: 1
            }
        );
        assert_eq!(
            compare(&["1", "2", "3"], &["1", "2"]),
            Count {
                lost: 0,
                duplicated: 1
            }
        );
    }
}
