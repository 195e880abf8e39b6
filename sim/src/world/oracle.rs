//! What the people of the world were told: every acknowledgement, as they would remember it; and
//! beside it what the groups carried out, as their replicas show it.

use std::collections::BTreeMap;

use tongban_types::{CaseNumber, CaseState, CaseVersion, CityCode, CommandId, Decision, GroupId};

use crate::invariants::Violation;

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
    /// Under which id.
    pub id: CommandId,
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

/// What an id asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To take an application in.
    Application,
    /// To act on a case.
    Act,
}

/// What a group remembers of an id it carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarriedOut {
    /// What was asked.
    pub asked: Asked,
    /// The group.
    pub group: GroupId,
    /// The case.
    pub case: CaseNumber,
    /// The version it came to.
    pub version: CaseVersion,
    /// The state it came to.
    pub state: CaseState,
}

/// Everything acknowledged, and everything carried out.
#[derive(Debug, Default)]
pub struct Oracle {
    taken: BTreeMap<CaseNumber, Taken>,
    by_id: BTreeMap<CommandId, CaseNumber>,
    acts: Vec<ActTaken>,
    /// Ids somebody tried whose group has not carried them out, by group.
    open: BTreeMap<GroupId, BTreeMap<CommandId, Asked>>,
    carried_out: BTreeMap<CommandId, CarriedOut>,
    /// Ids whose order was refused for good, with the words.
    refused: BTreeMap<CommandId, String>,
    /// Answers that contradict an earlier one or a right.
    contradictions: Vec<Violation>,
}

impl Oracle {
    /// Somebody asks a group for something under an id, perhaps again.
    pub fn on_tried(&mut self, id: CommandId, group: GroupId, asked: Asked) {
        if !self.carried_out.contains_key(&id) {
            self.open.entry(group).or_default().insert(id, asked);
        }
    }

    /// Ids of a group that it has not carried out yet.
    pub fn open(&self, group: GroupId) -> impl Iterator<Item = (CommandId, Asked)> {
        let ids = self.open.get(&group).into_iter().flatten();
        ids.map(|(id, asked)| (*id, *asked))
    }

    /// A replica shows that its group carried an id out.
    pub fn on_carried_out(&mut self, id: CommandId, done: CarriedOut) {
        self.open.entry(done.group).or_default().remove(&id);
        self.carried_out.insert(id, done);
    }

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

    /// An order was refused for good.
    pub fn on_refused(&mut self, id: CommandId, what: String) {
        self.refused.insert(id, what);
    }

    /// Somebody was told what cannot be right.
    pub fn contradict(&mut self, what: String) {
        self.accuse(Violation::new("once only", what));
    }

    /// Somebody saw something broken.
    pub fn accuse(&mut self, violation: Violation) {
        self.contradictions.push(violation);
    }

    /// Applications acknowledged.
    pub fn taken(&self) -> impl Iterator<Item = (CaseNumber, &Taken)> {
        self.taken.iter().map(|(case, taken)| (*case, taken))
    }

    /// Applications acknowledged, by the id they were asked for under.
    pub fn taken_by_id(&self) -> impl Iterator<Item = (CommandId, CaseNumber)> {
        self.by_id.iter().map(|(id, case)| (*id, *case))
    }

    /// Acts acknowledged.
    pub fn acts(&self) -> &[ActTaken] {
        &self.acts
    }

    /// What was carried out.
    pub fn carried_out(&self) -> &BTreeMap<CommandId, CarriedOut> {
        &self.carried_out
    }

    /// Orders refused for good that were carried out all the same.
    pub fn refused_yet_done(&self) -> impl Iterator<Item = (&str, &CarriedOut)> {
        self.refused
            .iter()
            .filter_map(|(id, what)| Some((what.as_str(), self.carried_out.get(id)?)))
    }

    /// Answers that cannot be right.
    pub fn contradictions(&self) -> &[Violation] {
        &self.contradictions
    }
}
