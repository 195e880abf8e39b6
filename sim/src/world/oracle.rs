//! What the people of the world were told: every acknowledgement, as they would remember it.

use std::collections::BTreeMap;

use tongban_types::{CaseNumber, CaseState, CaseVersion, CityCode, CommandId, Decision, GroupId};

/// An application acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The city that took it in.
    pub intake: CityCode,
    /// The city that decides it.
    pub authority: CityCode,
    /// It was to be handed over at once.
    pub handed_over: bool,
    /// The receipt said *replicated*, not only *stored*.
    pub replicated: bool,
}

/// An act acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActTaken {
    /// The case.
    pub case: CaseNumber,
    /// The group that took it.
    pub group: GroupId,
    /// The state it brought the case to there.
    pub state: CaseState,
    /// The version it brought it to.
    pub version: CaseVersion,
    /// What was decided, if it was a decision.
    pub decision: Option<Decision>,
}

/// Everything acknowledged.
#[derive(Debug, Default)]
pub struct Oracle {
    taken: BTreeMap<CaseNumber, Taken>,
    by_id: BTreeMap<CommandId, CaseNumber>,
    acts: Vec<ActTaken>,
    /// Answers that contradict an earlier one or a right.
    contradictions: Vec<String>,
}

impl Oracle {
    /// An application was acknowledged under a number.
    pub fn on_taken(&mut self, id: CommandId, case: CaseNumber, taken: Taken) {
        if let Some(before) = self.by_id.insert(id, case)
            && before != case
        {
            self.contradict(format!(
                "one application got two numbers: {before} and {case}"
            ));
        }
        let replicated = taken.replicated;
        let entry = self.taken.entry(case).or_insert(taken);
        entry.replicated |= replicated;
    }

    /// An act was acknowledged.
    pub fn on_act(&mut self, act: ActTaken) {
        self.acts.push(act);
    }

    /// Somebody was told what cannot be right.
    pub fn contradict(&mut self, what: String) {
        self.contradictions.push(what);
    }

    /// Applications acknowledged.
    pub fn taken(&self) -> impl Iterator<Item = (CaseNumber, &Taken)> {
        self.taken.iter().map(|(case, taken)| (*case, taken))
    }

    /// Acts acknowledged.
    pub fn acts(&self) -> &[ActTaken] {
        &self.acts
    }

    /// Answers that cannot be right.
    pub fn contradictions(&self) -> &[String] {
        &self.contradictions
    }
}
