//! 收件: an application enters the log of the city that took it in.

use tongban_types::{
    Actor, CaseEnvelope, CaseState, CaseVersion, Collect, GroupId, Sealed, SealedUse, Timestamp,
    limits,
};

use super::transfer::hand_over;
use crate::context::{Context, standing};
use crate::dues::{reckon_notice, start_notice};
use crate::record::{CaseRecord, DocumentStage, Standpoint};
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_collect(
    context: &mut Context<'_>,
    order: &Collect,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let envelope = &order.envelope;
    let ours = envelope.intake == context.group.city()
        && envelope.number.intake_city() == envelope.intake
        && envelope.number.day() == envelope.collected_at.china_day()
        && envelope.collected_by == *actor
        && envelope.collected_at == at;
    if !ours {
        return Err(Refusal::InconsistentEnvelope);
    }
    check_package(context, envelope, &order.form)?;
    if context.case(envelope.number).is_some() {
        return Err(Refusal::CaseExists);
    }
    let mut record = fresh_record(envelope.clone());
    context.ground.cases += 1;
    if GroupId(envelope.authority) == context.group {
        start_notice(context, &mut record)?;
    } else {
        // Only shown here; collecting waits for no calendar.
        record.notice_due = reckon_notice(context, &record).ok();
    }
    context.keep_form(envelope.number, &order.form);
    context.move_case(&mut record, CaseState::Collected, at, actor, None);
    if order.hand_over {
        hand_over(context, &mut record, &order.form, actor, at);
    }
    Ok(standing(&record))
}

/// What both cities demand of a package: a known item in its mode, the same text of it, an authority that answers for
/// the division named, a form of bounded size.
pub(super) fn check_package(
    context: &Context<'_>,
    envelope: &CaseEnvelope,
    form: &Sealed,
) -> Result<(), Refusal> {
    let terms = context.terms(envelope.item)?;
    if terms.file != envelope.item_file {
        return Err(Refusal::ItemDiffers);
    }
    let authority = context
        .registry()?
        .city_of_division(envelope.authority_division.number());
    if terms.mode != envelope.mode || authority != Some(envelope.authority) {
        return Err(Refusal::InconsistentEnvelope);
    }
    check_form(form)
}

pub(super) fn check_form(form: &Sealed) -> Result<(), Refusal> {
    let bounded = form.ciphertext.len() <= limits::FORM_BYTES_MAX + limits::SEAL_BYTES;
    if form.usage == SealedUse::Form && bounded {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

/// Checks that a sealed document or its signing input is what it is said to be and of bounded size.
pub(super) fn check_document(document: &Sealed, usage: SealedUse) -> Result<(), Refusal> {
    let bounded = document.ciphertext.len() <= limits::DOCUMENT_BYTES_MAX + limits::SEAL_BYTES;
    if document.usage == usage && bounded {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

/// Checks that sealed words are of the kind asked for and of bounded size.
pub(super) fn check_words(words: &Sealed, usage: SealedUse) -> Result<(), Refusal> {
    let bounded = words.ciphertext.len() <= limits::TEXT_BYTES_MAX + limits::SEAL_BYTES;
    if words.usage == usage && bounded {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

pub(super) fn fresh_record(envelope: CaseEnvelope) -> CaseRecord {
    CaseRecord {
        since: envelope.collected_at,
        standpoint: Standpoint::Owner,
        state: CaseState::Collected,
        version: CaseVersion::default(),
        transfers: 0,
        transfer_refused: None,
        received_at: None,
        noticed_at: None,
        notice_from: envelope.collected_at,
        in_log_at: envelope.collected_at,
        notice_due: None,
        accepted: None,
        review: None,
        decision: None,
        promise_due: None,
        statutory_due: None,
        document: DocumentStage::None,
        pending: None,
        request_refused: None,
        form: envelope.form,
        envelope,
    }
}
