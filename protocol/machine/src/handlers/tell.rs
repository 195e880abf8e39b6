//! The owner tells the receiving city how a case stands, whole; the mirror follows.

use tongban_types::{
    Actor, CaseNumber, CaseState, Decision, GroupId, IssuedDocument, PacketBody, SealedUse,
    Standing, Step, limits,
};

use super::collect::{check_document, check_words};
use crate::context::Context;
use crate::keyspace::{self, range_of};
use crate::outbox::{forget_stale_mirror, send_packet};
use crate::record::{Acceptance, CaseRecord, DecisionRecord, DocumentStage, Movement, Standpoint};
use crate::refusal::Refusal;
use crate::view::View;

/// Tells the receiving city, if it is another.
pub(crate) fn tell_intake(context: &mut Context<'_>, record: &CaseRecord) {
    let intake = GroupId(record.envelope.intake);
    if intake == context.group {
        return;
    }
    let number = record.envelope.number;
    // Whatever it missed, this makes up for it.
    forget_stale_mirror(context, number);
    let standing = Standing {
        steps: steps_of(context, number),
        form: record.form,
        notice_from: record.notice_from,
        notice_due: record.notice_due,
        deemed: record
            .accepted
            .as_ref()
            .is_some_and(|accepted| accepted.deemed),
        promise_due: record.promise_due,
        statutory_due: record.statutory_due,
        document: issued(context, record),
    };
    let body = PacketBody::Standing(Box::new(standing));
    send_packet(context, intake, number, body);
}

/// The steps since the case is ours, which of a case collected elsewhere is all of them. A reviewer's
/// opinion is the authority's own.
fn steps_of(context: &Context<'_>, number: CaseNumber) -> Vec<Step> {
    let (from, until) = range_of(&keyspace::movements(number));
    let pairs = context.draft.scan(&from, &until, limits::STEPS_MAX);
    let movements = pairs
        .iter()
        .filter_map(|(_, value)| postcard::from_bytes::<Movement>(value).ok());
    movements
        .map(|movement| Step {
            state: movement.state,
            at: movement.at,
            actor: movement.actor,
            words: movement
                .words
                .filter(|_| movement.state != CaseState::InReview),
        })
        .collect()
}

fn issued(context: &Context<'_>, record: &CaseRecord) -> Option<IssuedDocument> {
    let DocumentStage::Issued { hash } = record.document else {
        return None;
    };
    let key = keyspace::document(record.envelope.number);
    let document = context.draft.load(&key)?;
    Some(IssuedDocument { document, hash })
}

/// Follows the owner. Only the authority of the case may say how it stands.
pub(super) fn on_standing(
    context: &mut Context<'_>,
    from: GroupId,
    number: CaseNumber,
    standing: &Standing,
) -> Result<(), Refusal> {
    let mut record = context.case(number).ok_or(Refusal::NoSuchCase)?;
    if GroupId(record.envelope.authority) != from || is_foreign(standing, &record) {
        return Err(Refusal::NotAParty);
    }
    check_standing(standing)?;
    let missing = steps_missing(&record, standing)?;
    record.standpoint = Standpoint::Mirror;
    record.notice_from = standing.notice_from;
    record.notice_due = standing.notice_due;
    record.promise_due = standing.promise_due;
    record.statutory_due = standing.statutory_due;
    for step in &standing.steps {
        note_step(&mut record, step, standing.deemed);
    }
    follow_form(context, &mut record, standing);
    if let Some(issued) = &standing.document {
        record.document = DocumentStage::Issued { hash: issued.hash };
        context
            .draft
            .store(keyspace::document(number), &issued.document);
    }
    if missing.is_empty() {
        // Said again, or more of it, as a document issued: no further step.
        context.touch_case(&mut record);
    }
    for step in missing {
        let (state, words) = (step.state, step.words.clone());
        context.move_case(&mut record, state, step.at, &step.actor, words);
    }
    Ok(())
}

/// The steps this mirror does not have yet: all behind the one it stands at, for no state is come to
/// twice. A standing proves that the transfer was entered, even if its answer is still on its way.
fn steps_missing<'a>(record: &CaseRecord, standing: &'a Standing) -> Result<&'a [Step], Refusal> {
    let known = match (record.standpoint, record.state) {
        (Standpoint::Owner, CaseState::InTransit) => 0,
        (Standpoint::Mirror, state) => {
            let place = standing.steps.iter().rposition(|step| step.state == state);
            place.ok_or(Refusal::WrongState(state))? + 1
        }
        (Standpoint::Owner, state) => return Err(Refusal::WrongState(state)),
    };
    Ok(&standing.steps[known..])
}

fn note_step(record: &mut CaseRecord, step: &Step, deemed: bool) {
    let (at, by) = (step.at, step.actor.clone());
    match step.state {
        CaseState::Received => record.received_at = Some(at),
        CaseState::CorrectionAsked => record.noticed_at = Some(at),
        CaseState::Accepted => record.accepted = Some(Acceptance { at, by, deemed }),
        CaseState::Granted | CaseState::Refused => {
            let decision = if step.state == CaseState::Granted {
                Decision::Grant
            } else {
                Decision::Refuse
            };
            record.decision = Some(DecisionRecord { at, by, decision });
        }
        _ => {}
    }
}

/// A correction taken in at the authority makes our copy of the form an old one. A standing has no
/// room for the form: then none is shown here rather than one that was corrected.
fn follow_form(context: &mut Context<'_>, record: &mut CaseRecord, standing: &Standing) {
    let is_corrected = standing
        .steps
        .iter()
        .any(|step| step.state == CaseState::Corrected);
    if is_corrected && record.form != standing.form {
        record.form = standing.form;
        context.draft.delete(keyspace::form(record.envelope.number));
    }
}

/// An owner's case is in none of the states before it was entered; words and document are bounded.
fn check_standing(standing: &Standing) -> Result<(), Refusal> {
    if !(1..=limits::STEPS_MAX).contains(&standing.steps.len()) {
        return Err(Refusal::Malformed);
    }
    for step in &standing.steps {
        if matches!(step.state, CaseState::Collected | CaseState::InTransit) {
            return Err(Refusal::WrongState(step.state));
        }
        if let Some(words) = &step.words {
            let usage = match step.state {
                CaseState::CorrectionAsked => SealedUse::Notice,
                _ => SealedUse::Reason,
            };
            check_words(words, usage)?;
        }
    }
    match &standing.document {
        Some(issued) => check_document(&issued.document, SealedUse::Document),
        None => Ok(()),
    }
}

/// Whether whoever brought the case there is of neither of its cities.
fn is_foreign(standing: &Standing, record: &CaseRecord) -> bool {
    let envelope = &record.envelope;
    let is_party = |actor: &Actor| [envelope.authority, envelope.intake].contains(&actor.city);
    !standing.steps.iter().all(|step| is_party(&step.actor))
}
