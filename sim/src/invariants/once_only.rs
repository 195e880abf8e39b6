//! Nothing happens twice: a number names one application for ever, an application enters once, a
//! decision once made is the decision, and what was refused is not done.

use std::collections::{BTreeMap, BTreeSet};

use tongban_machine::DecisionRecord;
use tongban_types::{CaseNumber, GroupId, Hash, Timestamp};

use super::Violation;
use crate::world::oracle::{Asked, Oracle};
use crate::world::sight::Sight;

const NAME: &str = "once only";

/// What was first seen of each case.
#[derive(Debug, Default)]
pub struct OnceOnly {
    subjects: BTreeMap<CaseNumber, (Hash, Timestamp)>,
    decisions: BTreeMap<CaseNumber, DecisionRecord>,
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
                // The mirror tells it as the owner's step told it: the same moment, the same person.
                let first = self.decisions.entry(number);
                let first = first.or_insert_with(|| decision.clone());
                if first != decision {
                    return broken(format!("{number}: {first:?} became {decision:?}"));
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
        Some(contradiction) => Err(contradiction.clone()),
    }?;
    match oracle.refused_yet_done().next() {
        None => Ok(()),
        Some((what, done)) => broken(format!(
            "refused and yet carried out, {} is {}: {what}",
            done.case, done.state
        )),
    }
}

/// Judges what every intake group holds by what was handed in, once everything is calm and no desk
/// holds anything: as many cases as ids carried out, and none that nobody handed in.
pub fn check_entered(oracle: &Oracle, sight: &Sight) -> Result<(), Violation> {
    let mut entered: BTreeSet<(GroupId, CaseNumber)> = BTreeSet::new();
    for (id, done) in oracle.carried_out() {
        if done.asked == Asked::Application && !entered.insert((done.group, done.case)) {
            return broken(format!(
                "{} was given to two applications, the second {id:?}",
                done.case
            ));
        }
    }
    let held: BTreeSet<(GroupId, CaseNumber)> = sight
        .records()
        .filter(|(group, record)| GroupId(record.envelope.intake) == *group)
        .map(|(group, record)| (group, record.envelope.number))
        .collect();
    if let Some((group, case)) = held.difference(&entered).next() {
        return broken(format!("{case} in {group} is of no id that was handed in"));
    }
    if let Some((group, case)) = entered.difference(&held).next() {
        return broken(format!("{case} entered {group} and is not there"));
    }
    Ok(())
}

/// Judges what people were told by what their group carried out under the id.
pub fn check_told(oracle: &Oracle) -> Result<(), Violation> {
    for act in oracle.acts() {
        let done = oracle.carried_out().get(&act.id);
        let is_same = done.is_some_and(|done| {
            (done.case, done.version, done.state) == (act.case, act.version, act.state)
        });
        if !is_same {
            let (case, state) = (act.case, act.state);
            return broken(format!("{case}: told that it is {state}, done {done:?}"));
        }
    }
    for (id, case) in oracle.taken_by_id() {
        let done = oracle.carried_out().get(&id);
        if done.is_none_or(|done| done.case != case) {
            return broken(format!("told of {case}, done {done:?}"));
        }
    }
    Ok(())
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
