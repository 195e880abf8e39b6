//! Nothing happens twice: a number names one application for ever, and a decision once made is the
//! decision.

use std::collections::BTreeMap;

use tongban_types::{CaseNumber, Decision, GroupId, Hash, Timestamp};

use super::Violation;
use crate::world::oracle::Oracle;
use crate::world::sight::Sight;

const NAME: &str = "once only";

/// What was first seen of each case.
#[derive(Debug, Default)]
pub struct OnceOnly {
    subjects: BTreeMap<CaseNumber, (Hash, Timestamp)>,
    decisions: BTreeMap<CaseNumber, (Decision, Timestamp)>,
    versions: BTreeMap<(GroupId, CaseNumber), u32>,
}

impl OnceOnly {
    /// Judges the newest states by what was seen before.
    pub fn check(&mut self, sight: &Sight) -> Result<(), Violation> {
        for (group, record) in sight.records() {
            let number = record.envelope.number;
            let collected = (record.envelope.form, record.envelope.collected_at);
            if *self.subjects.entry(number).or_insert(collected) != collected {
                return broken(format!("{number} names two applications"));
            }
            if let Some(decision) = &record.decision {
                let made = (decision.decision, decision.at);
                let first = *self.decisions.entry(number).or_insert(made);
                // The mirror dates the decision by the owner's state, which is the same moment.
                if first.0 != made.0 {
                    return broken(format!("{number}: {:?} became {:?}", first.0, made.0));
                }
            }
            let version = self.versions.entry((group, number)).or_default();
            if record.version.0 < *version {
                return broken(format!(
                    "{number} went back to version {}",
                    record.version.0
                ));
            }
            *version = record.version.0;
        }
        Ok(())
    }
}

/// Judges what people were told.
pub fn check_answers(oracle: &Oracle) -> Result<(), Violation> {
    match oracle.contradictions().first() {
        None => Ok(()),
        Some(contradiction) => broken(contradiction.clone()),
    }
}

/// Judges decisions people were told of, once everything is calm.
pub fn check_decisions(oracle: &Oracle, sight: &Sight) -> Result<(), Violation> {
    for act in oracle.acts() {
        let Some(decision) = act.decision else {
            continue;
        };
        let record = sight
            .newest(act.group)
            .and_then(|there| there.cases.get(&act.case));
        let stands = record.and_then(|record| record.decision.as_ref());
        if stands.is_none_or(|stands| stands.decision != decision) {
            return broken(format!(
                "{}: {decision:?} was acknowledged and does not stand",
                act.case
            ));
        }
    }
    Ok(())
}

fn broken(what: String) -> Result<(), Violation> {
    Err(Violation::new(NAME, what))
}
