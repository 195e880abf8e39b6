//! Refusals counted by their codes, for metrics. Codes are a fixed table, so that the counters stay
//! few whatever peers send.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tongban_types::Code;

use crate::seams::Lane;

/// What was refused to peers, by lane and code.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<(Lane, Code), u64>>);

impl Refusals {
    /// Counts one.
    pub(crate) fn count(&self, lane: Lane, code: Code) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.entry((lane, code)).or_default() += 1;
    }

    /// All counters.
    pub(crate) fn read(&self) -> BTreeMap<(Lane, Code), u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_and_code_has_its_own_counter() {
        let refusals = Refusals::default();
        refusals.count(Lane::Keys, Code::TOO_LARGE);
        refusals.count(Lane::Keys, Code::TOO_LARGE);
        refusals.count(Lane::Submit, Code::TOO_LARGE);
        let counted: Vec<_> = refusals.read().into_iter().collect();
        assert_eq!(
            counted,
            [
                ((Lane::Submit, Code::TOO_LARGE), 1),
                ((Lane::Keys, Code::TOO_LARGE), 2),
            ]
        );
    }
}
