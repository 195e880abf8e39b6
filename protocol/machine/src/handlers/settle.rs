//! Answers to our packets: what an *entered*, a *refused* and a *not received* each mean for the
//! case they were about.

use tongban_types::{
    Actor, Answer, CaseState, Code, GroupId, Packet, PacketBody, Sealed, Timestamp, Verdict, limits,
};

use super::transfer::hand_over;
use crate::context::Context;
use crate::dues::{clear_notice, reckon_notice};
use crate::outbox::{last_unanswered, mark_stale_mirror, may_repeat, send_packet, settle};
use crate::record::{CaseRecord, Standpoint};
use crate::refusal::Refusal;
use crate::reply::ParcelFate;

pub(super) fn on_answer(context: &mut Context<'_>, answer: Answer) -> Result<ParcelFate, Refusal> {
    let Some(packet) = settle(context, &answer)? else {
        return Ok(ParcelFate::SettledBefore);
    };
    let Some(record) = context.case(answer.case) else {
        return Ok(ParcelFate::Settled);
    };
    match &packet.body {
        PacketBody::Transfer { form, .. } => {
            on_transfer_answered(context, record, &packet, form, answer);
        }
        PacketBody::Standing(_) => on_standing_answered(context, &record, &packet, answer),
        PacketBody::Correction { .. }
        | PacketBody::Withdrawal { .. }
        | PacketBody::Delivery { .. } => on_request_answered(context, record, packet, answer),
    }
    Ok(ParcelFate::Settled)
}

/// *Received* is committed over there: the authority owns the case from here on. Anything else means
/// it never did, and the case is ours as before.
fn on_transfer_answered(
    context: &mut Context<'_>,
    mut record: CaseRecord,
    packet: &Packet,
    form: &Sealed,
    answer: Answer,
) {
    if record.state != CaseState::InTransit || record.standpoint != Standpoint::Owner {
        // The owner's standing came before its answer.
        return;
    }
    let actor = Actor::system(answer.from.city());
    match answer.verdict {
        Verdict::Entered => {
            record.standpoint = Standpoint::Mirror;
            record.received_at = Some(answer.at);
            // As the authority reckons it; it says so itself with its next step.
            record.in_log_at = answer.at;
            record.notice_due = reckon_notice(context, &record).ok();
            context.move_case(&mut record, CaseState::Received, answer.at, &actor, None);
        }
        Verdict::Refused(code) => {
            come_back(context, &mut record, code, &actor, answer.at);
        }
        Verdict::NotReceived
            if record.transfers < limits::RESENDS_MAX
                && record.pending.is_none()
                && may_repeat(context, packet) =>
        {
            let ours = Actor::system(context.group.city());
            let at = context.ground.time;
            hand_over(context, &mut record, form, &ours, at);
        }
        Verdict::NotReceived => {
            let code = Code::PACKET_NOT_RECEIVED;
            come_back(context, &mut record, code, &actor, answer.at);
        }
    }
}

/// The case is ours again. A withdrawal asked while it was on its way found no owner over there:
/// it is effective here, so that no applicant has to ask twice.
fn come_back(
    context: &mut Context<'_>,
    record: &mut CaseRecord,
    refused: Code,
    actor: &Actor,
    at: Timestamp,
) {
    record.transfer_refused = Some(refused);
    let asked = record
        .pending
        .take()
        .and_then(|_| last_unanswered(context, GroupId(actor.city), record.envelope.number));
    context.move_case(record, CaseState::Collected, at, actor, None);
    if let Some(Packet {
        body: PacketBody::Withdrawal { reason, at, actor },
        ..
    }) = asked
    {
        clear_notice(context, record);
        context.move_case(record, CaseState::Withdrawn, at, &actor, Some(reason));
    }
}

fn on_request_answered(
    context: &mut Context<'_>,
    mut record: CaseRecord,
    packet: Packet,
    answer: Answer,
) {
    if record.pending.is_none() {
        // Nobody waits for it any more: the case came back and the request was met here.
        return;
    }
    match answer.verdict {
        Verdict::Entered => {
            record.pending = None;
            record.request_refused = None;
            if let PacketBody::Correction {
                form, form_hash, ..
            } = &packet.body
            {
                record.form = *form_hash;
                context.keep_form(packet.case, form);
            }
            context.touch_case(&mut record);
        }
        Verdict::Refused(code) => refuse_request(context, &mut record, code),
        // A person asked for it and waits: it is said again under a new sequence.
        Verdict::NotReceived if may_repeat(context, &packet) => {
            send_packet(context, packet.to, packet.case, packet.body);
        }
        Verdict::NotReceived => {
            refuse_request(context, &mut record, Code::PACKET_NOT_RECEIVED);
        }
    }
}

fn refuse_request(context: &mut Context<'_>, record: &mut CaseRecord, code: Code) {
    record.pending = None;
    record.request_refused = Some(code);
    context.touch_case(record);
}

/// A standing that was not received is made up for by a later one: one that is on its way already, or
/// one sent when it may be said again.
fn on_standing_answered(
    context: &mut Context<'_>,
    record: &CaseRecord,
    packet: &Packet,
    answer: Answer,
) {
    if answer.verdict == Verdict::NotReceived
        && record.standpoint == Standpoint::Owner
        && last_unanswered(context, packet.to, packet.case).is_none()
    {
        mark_stale_mirror(context, packet);
    }
}
