//! The owner tells the receiving city how a case stands, whole; the mirror follows.

use tongban_types::{
    Actor, CaseNumber, CaseState, Decision, GroupId, IssuedDocument, PacketBody, Sealed, SealedUse,
    Standing,
};

use super::collect::{check_document, check_words};
use crate::context::Context;
use crate::keyspace;
use crate::outbox::send_packet;
use crate::record::{Acceptance, CaseRecord, DecisionRecord, DocumentStage, Standpoint};
use crate::refusal::Refusal;

/// Tells the receiving city, if it is another.
pub(crate) fn tell_intake(context: &mut Context<'_>, record: &CaseRecord, words: Option<Sealed>) {
    let intake = GroupId(record.envelope.intake);
    if intake != context.group {
        send_standing(context, intake, record, words);
    }
}

pub(super) fn send_standing(
    context: &mut Context<'_>,
    to: GroupId,
    record: &CaseRecord,
    words: Option<Sealed>,
) {
    let number = record.envelope.number;
    let actor = context.last_movement(record).map_or_else(
        || Actor::system(context.group.city()),
        |movement| movement.actor,
    );
    let document = match record.document {
        DocumentStage::Issued { hash } => context
            .draft
            .load(&keyspace::document(number))
            .map(|document| IssuedDocument { document, hash }),
        _ => None,
    };
    let standing = Standing {
        state: record.state,
        at: record.since,
        actor,
        deemed: record
            .accepted
            .as_ref()
            .is_some_and(|accepted| accepted.deemed),
        promise_due: record.promise_due,
        statutory_due: record.statutory_due,
        words,
        document,
    };
    send_packet(
        context,
        to,
        number,
        PacketBody::Standing(Box::new(standing)),
    );
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
    // A standing proves that the transfer was entered, even if its answer is still on its way.
    let follows = record.standpoint == Standpoint::Mirror || record.state == CaseState::InTransit;
    if !follows {
        return Err(Refusal::WrongState(record.state));
    }
    record.standpoint = Standpoint::Mirror;
    record.promise_due = standing.promise_due;
    record.statutory_due = standing.statutory_due;
    match standing.state {
        CaseState::CorrectionAsked => record.noticed_at = Some(standing.at),
        CaseState::Accepted => {
            record.accepted = Some(Acceptance {
                at: standing.at,
                by: standing.actor.clone(),
                deemed: standing.deemed,
            });
        }
        CaseState::Granted | CaseState::Refused => {
            let decision = if standing.state == CaseState::Granted {
                Decision::Grant
            } else {
                Decision::Refuse
            };
            record.decision = Some(DecisionRecord {
                at: standing.at,
                by: standing.actor.clone(),
                decision,
            });
        }
        _ => {}
    }
    if let Some(issued) = &standing.document {
        record.document = DocumentStage::Issued { hash: issued.hash };
        context
            .draft
            .store(keyspace::document(number), &issued.document);
    }
    if record.state == standing.state && record.since == standing.at {
        // Said again, or more of it, as a document issued: no further step.
        context.touch_case(&mut record);
    } else {
        let (state, words) = (standing.state, standing.words.clone());
        context.move_case(&mut record, state, standing.at, &standing.actor, words);
    }
    Ok(())
}

/// An owner's case is in none of the states before it was entered; words and document are bounded.
fn check_standing(standing: &Standing) -> Result<(), Refusal> {
    if matches!(standing.state, CaseState::Collected | CaseState::InTransit) {
        return Err(Refusal::WrongState(standing.state));
    }
    if let Some(words) = &standing.words {
        let usage = match standing.state {
            CaseState::CorrectionAsked => SealedUse::Notice,
            _ => SealedUse::Reason,
        };
        check_words(words, usage)?;
    }
    match &standing.document {
        Some(issued) => check_document(&issued.document, SealedUse::Document),
        None => Ok(()),
    }
}

/// Whether whoever brought the case there is of neither of its cities.
fn is_foreign(standing: &Standing, record: &CaseRecord) -> bool {
    let city = standing.actor.city;
    city != record.envelope.authority && city != record.envelope.intake
}
