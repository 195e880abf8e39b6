//! Any order: every variant there is, mostly on a case there is, at the version it has and by whom
//! may give it.

use tongban_machine::{ground, load_case};
use tongban_types::{
    CaseNumber, CaseState, CaseVersion, Command, CommandBody, CommandId, DAY_MS, Decision, Hash,
    OnCase,
};

use super::world::World;
use super::{CASES_MAX, Dice, TOWNS};
use crate::common::city;
use crate::common::prelude::*;

impl World {
    pub(super) fn submit(&mut self, town: usize, batch: &[Dice]) {
        let at = town % TOWNS.len();
        let commands: Vec<Command> = batch.iter().map(|dice| self.command(at, dice)).collect();
        let town = &self.towns[at];
        let key = command_key(node_of(town.code, 1));
        let bytes = city::batch(town.group(), key, &commands);
        self.enter(at, bytes);
    }

    fn command(&mut self, at: usize, dice: &Dice) -> Command {
        let body = self.body(at, dice);
        let town = &mut self.towns[at];
        let code = town.code;
        let right = match &body {
            CommandBody::Collect(_)
            | CommandBody::Transfer(_)
            | CommandBody::Correct(_)
            | CommandBody::Deliver(_)
            | CommandBody::Withdraw(_) => clerk(code),
            CommandBody::Decide(_) => officer(code, CHECKER),
            CommandBody::AskCorrection(_)
            | CommandBody::Accept(_)
            | CommandBody::RefuseToAccept(_)
            | CommandBody::Review(_) => officer(code, REVIEWER),
            CommandBody::InstallItem(_)
            | CommandBody::InstallCalendar(_)
            | CommandBody::TakeLease(_)
            | CommandBody::PrepareDocument(_)
            | CommandBody::IssueDocument(_) => system(code),
        };
        let actor = match dice.actor % 24 {
            0 => clerk(code),
            1 => officer(code, REVIEWER),
            2 => clerk(TOWNS[usize::from(dice.luck) % TOWNS.len()]),
            _ => right,
        };
        let mut command = town.command(&actor, body);
        command.at = match &command.body {
            CommandBody::Collect(order) if !dice.luck.is_multiple_of(8) => {
                order.envelope.collected_at
            }
            _ => command.at.plus_ms(dice.at),
        };
        if dice.luck == 255 {
            command.id = CommandId(Hash([dice.case; 32]));
        }
        command
    }

    /// Any order: every variant there is, mostly on a case there is, at the version it has.
    fn body(&mut self, at: usize, dice: &Dice) -> CommandBody {
        let other = TOWNS[usize::from(dice.actor) % TOWNS.len()];
        let begins = if self.cases.len() < CASES_MAX { 2 } else { 0 };
        if dice.kind % 24 < begins || self.cases.is_empty() {
            return self.collecting(at, other, dice);
        }
        let case = self.cases[usize::from(dice.case) % self.cases.len()];
        let town = &self.towns[at];
        let Some(record) = load_case(&town.view, case) else {
            let expected = CaseVersion(u32::from(dice.luck));
            return CommandBody::Accept(OnCase { case, expected });
        };
        let lease = ground(&town.view).lease_number;
        let mut body = match dice.kind % 24 {
            2 => transfer(town, case),
            3 => ask_correction(town, case),
            4 => correct(town, case),
            5 => accept(town, case),
            6 => refuse_to_accept(town, case),
            7 => review(town, case),
            8 => decide(town, case, Decision::Grant),
            9 => decide(town, case, Decision::Refuse),
            10 => deliver(town, case),
            11 if dice.luck.is_multiple_of(4) => withdraw(town, case),
            12 => take_lease(town.code),
            13 => prepare(town, case, lease),
            14 => issue(town, case, lease),
            15 if dice.luck.is_multiple_of(2) => CommandBody::InstallItem(local_item()),
            15 => CommandBody::InstallCalendar(Federation::get().calendar.clone()),
            _ => likely(town, record.state, case, lease, dice.luck),
        };
        let any_text = dice.text();
        match &mut body {
            CommandBody::AskCorrection(order) if dice.luck.is_multiple_of(8) => {
                order.notice = any_text;
            }
            CommandBody::Review(order) if dice.luck.is_multiple_of(8) => order.opinion = any_text,
            CommandBody::Withdraw(order) | CommandBody::RefuseToAccept(order)
                if dice.luck.is_multiple_of(8) =>
            {
                order.reason = any_text;
            }
            CommandBody::Correct(order) if dice.luck.is_multiple_of(8) => order.form = any_text,
            CommandBody::IssueDocument(order) if dice.luck.is_multiple_of(8) => {
                order.document = any_text;
            }
            CommandBody::Accept(on) if dice.luck.is_multiple_of(8) => {
                on.expected = on.expected.next();
            }
            _ => {}
        }
        body
    }

    fn collecting(&mut self, at: usize, authority: u32, dice: &Dice) -> CommandBody {
        let town = &mut self.towns[at];
        let item = if dice.case.is_multiple_of(2) {
            local_item()
        } else {
            migration_item()
        };
        let days = i64::from(dice.size % 16) * i64::from(dice.luck % 4 == 1);
        let when = town.time().plus_ms(-days * DAY_MS);
        let mut order = application_for(town, authority, &item, when);
        order.hand_over = dice.luck.is_multiple_of(2);
        match dice.usage {
            0 => order.envelope.authority = city_code(DINGXI),
            1 => order.envelope.item.version = 2,
            2 => order.envelope.intake = city_code(authority),
            3 => order.form = dice.text(),
            _ => {}
        }
        self.cases.push(order.envelope.number);
        CommandBody::Collect(Box::new(order))
    }
}

/// What would bring a case one step on, one way or another.
fn likely(town: &City, state: CaseState, case: CaseNumber, lease: u64, luck: u8) -> CommandBody {
    match (state, luck % 8) {
        (_, 1) => withdraw(town, case),
        (CaseState::Collected | CaseState::InTransit, _) => transfer(town, case),
        (CaseState::Received, 2) | (CaseState::Corrected, 2..4) => refuse_to_accept(town, case),
        (CaseState::Received, 3..6) => ask_correction(town, case),
        (CaseState::Received | CaseState::Corrected, _) => accept(town, case),
        (CaseState::CorrectionAsked, _) => correct(town, case),
        (CaseState::Accepted, _) => review(town, case),
        (CaseState::InReview, 0..4) => decide(town, case, Decision::Refuse),
        (CaseState::InReview, _) => decide(town, case, Decision::Grant),
        (CaseState::Granted, 0..4) => prepare(town, case, lease),
        (CaseState::Granted, 4..6) => issue(town, case, lease),
        _ => deliver(town, case),
    }
}
