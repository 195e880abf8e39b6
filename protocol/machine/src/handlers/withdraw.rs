//! 撤回: the applicant withdraws before the decision. Once handed over, it is a request to the owner,
//! behind the transfer in the order of the case; the first committed wins.

use tongban_types::{Actor, CaseState, GroupId, PacketBody, SealedUse, Timestamp, WithReason};

use super::collect::check_words;
use super::tell::tell_intake;
use crate::context::{Context, standing};
use crate::dues::clear_notice;
use crate::outbox::send_packet;
use crate::record::{Request, Standpoint};
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_withdraw(
    context: &mut Context<'_>,
    order: &WithReason,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_at(order.on)?;
    if record.state.is_decided() {
        return Err(Refusal::AlreadyDecided);
    }
    check_words(&order.reason, SealedUse::Reason)?;
    let on_its_way = record.state == CaseState::InTransit;
    if record.standpoint == Standpoint::Owner && !on_its_way {
        clear_notice(context, &mut record);
        let words = Some(order.reason.clone());
        context.move_case(&mut record, CaseState::Withdrawn, at, actor, words);
        tell_intake(context, &record);
        return Ok(standing(&record));
    }
    if record.pending.is_some() {
        return Err(Refusal::RequestPending);
    }
    record.pending = Some(Request::Withdrawal);
    let body = PacketBody::Withdrawal {
        reason: order.reason.clone(),
        at,
        actor: actor.clone(),
    };
    send_packet(
        context,
        GroupId(record.envelope.authority),
        order.on.case,
        body,
    );
    context.touch_case(&mut record);
    Ok(standing(&record))
}
