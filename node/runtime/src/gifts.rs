//! Case keys that came before their case: held in memory until the case's form is here to prove them.

use std::collections::BTreeMap;

use tongban_types::{CaseNumber, CityCode};

use crate::sealing::CaseKey;

/// Gifts held for one city's cases: some seconds of its intake under load. Beyond it the oldest goes;
/// the key of a case that came without its gift is asked for.
const GIFTS_MAX: usize = 4_096;

/// Gifts by the city that collected the case, so that one city's many push out no other's.
#[derive(Default)]
pub(crate) struct Gifts(BTreeMap<CityCode, BTreeMap<CaseNumber, CaseKey>>);

impl Gifts {
    pub(crate) fn hold(&mut self, case: CaseNumber, key: CaseKey) {
        let of_city = self.0.entry(case.intake_city()).or_default();
        if of_city.len() >= GIFTS_MAX {
            of_city.pop_first();
        }
        of_city.insert(case, key);
    }

    pub(crate) fn of(&self, case: CaseNumber) -> Option<CaseKey> {
        self.0.get(&case.intake_city())?.get(&case).cloned()
    }

    pub(crate) fn forget(&mut self, case: CaseNumber) {
        if let Some(of_city) = self.0.get_mut(&case.intake_city()) {
            of_city.remove(&case);
        }
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::CivilDay;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn one_citys_gifts_are_bounded_and_push_out_no_other_citys() {
        let day = CivilDay::from_ymd(2026, 3, 2).unwrap();
        let case = |city: u32, sequence: u32| {
            CaseNumber::new(CityCode::new(city).unwrap(), day, 1, sequence).unwrap()
        };
        let mut gifts = Gifts::default();
        let weinans = case(610_500, 1);
        gifts.hold(weinans, Zeroizing::new([1; 32]));
        let count = u32::try_from(GIFTS_MAX).unwrap() + 1;
        for sequence in 1..=count {
            gifts.hold(case(350_100, sequence), Zeroizing::new([2; 32]));
        }
        assert!(gifts.of(case(350_100, 1)).is_none(), "the oldest goes");
        assert!(gifts.of(case(350_100, 2)).is_some());
        assert!(gifts.of(case(350_100, count)).is_some());
        assert_eq!(*gifts.of(weinans).unwrap(), [1; 32]);
        gifts.forget(weinans);
        assert!(gifts.of(weinans).is_none());
    }
}
