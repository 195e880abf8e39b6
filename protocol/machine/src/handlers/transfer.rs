//! 转送: a collected package is handed over to its authority. Where the city that collected is the
//! authority, it simply enters its own desk.

use tongban_types::{Actor, CaseState, GroupId, OnCase, PacketBody, Sealed, Timestamp};

use crate::context::{Context, require_state, standing};
use crate::outbox::send_packet;
use crate::query::form_of;
use crate::record::CaseRecord;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_transfer(
    context: &mut Context<'_>,
    order: OnCase,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.owned_case(order)?;
    require_state(&record, &[CaseState::Collected])?;
    let form = form_of(&context.draft, order.case).ok_or(Refusal::NoSuchCase)?;
    hand_over(context, &mut record, &form, actor, at);
    Ok(standing(&record))
}

/// Sends the package on its way; the record stays *owner* until the authority answers.
pub(super) fn hand_over(
    context: &mut Context<'_>,
    record: &mut CaseRecord,
    form: &Sealed,
    actor: &Actor,
    at: Timestamp,
) {
    record.transfer_refused = None;
    record.transfers = record.transfers.saturating_add(1);
    let authority = GroupId(record.envelope.authority);
    if authority == context.group {
        record.received_at = Some(context.ground.time);
        context.move_case(record, CaseState::Received, at, actor, None);
    } else {
        let body = PacketBody::Transfer {
            envelope: record.envelope.clone(),
            form: form.clone(),
        };
        send_packet(context, authority, record.envelope.number, body);
        context.move_case(record, CaseState::InTransit, at, actor, None);
    }
}
