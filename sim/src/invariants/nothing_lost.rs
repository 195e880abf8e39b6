//! What was acknowledged is there: an application at the city that took it in, and at its authority
//! once it is handed over; an act in the history of its case.

use std::collections::BTreeMap;

use tongban_machine::Standpoint;
use tongban_types::{CaseNumber, CaseState, GroupId};

use super::Violation;
use crate::world::oracle::Oracle;
use crate::world::sight::Sight;

const NAME: &str = "nothing lost";

/// The states cases went through, by group and case.
pub type Histories = BTreeMap<(GroupId, CaseNumber), Vec<CaseState>>;

/// Judges the state after everything is calm by everything people were told.
pub fn check(oracle: &Oracle, sight: &Sight, histories: &Histories) -> Result<(), Violation> {
    for (number, taken) in oracle.taken() {
        let intake = sight.newest(GroupId(taken.intake));
        let Some(record) = intake.and_then(|there| there.cases.get(&number)) else {
            let how = if taken.replicated {
                "replicated"
            } else {
                "stored"
            };
            return broken(format!(
                "{number}, acknowledged as {how}, is not where it was taken in"
            ));
        };
        let authority = sight.newest(GroupId(taken.authority));
        let is_there = authority.is_some_and(|there| there.cases.contains_key(&number));
        let came_back = record.standpoint == Standpoint::Owner && record.transfer_refused.is_some();
        if taken.handed_over && !is_there && !came_back {
            return broken(format!(
                "{number}, {} here, never came to its authority",
                record.state
            ));
        }
    }
    for act in oracle.acts() {
        let record = sight
            .newest(act.group)
            .and_then(|there| there.cases.get(&act.case));
        let is_kept = record.is_some_and(|record| record.version >= act.version)
            && histories
                .get(&(act.group, act.case))
                .is_some_and(|past| past.contains(&act.state));
        if !is_kept {
            let (case, group, state) = (act.case, act.group, act.state);
            return broken(format!(
                "{case}: an act in {group} that made it {state} is gone"
            ));
        }
    }
    Ok(())
}

fn broken(what: String) -> Result<(), Violation> {
    Err(Violation::new(NAME, what))
}
