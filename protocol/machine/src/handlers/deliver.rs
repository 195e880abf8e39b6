//! 送达: the result is in the applicant's hands; noted where it was handed over, effective where the
//! owner commits it.

use tongban_types::{Actor, CaseState, GroupId, OnCase, PacketBody, Timestamp};

use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::outbox::send_packet;
use crate::record::{CaseRecord, DocumentStage, Request, Standpoint};
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_deliver(
    context: &mut Context<'_>,
    order: OnCase,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_at(order)?;
    require_deliverable(&record)?;
    match record.standpoint {
        Standpoint::Owner => {
            context.move_case(&mut record, CaseState::Delivered, at, actor, None);
            tell_intake(context, &record);
        }
        Standpoint::Mirror => {
            if record.pending.is_some() {
                return Err(Refusal::RequestPending);
            }
            record.pending = Some(Request::Delivery);
            let body = PacketBody::Delivery {
                at,
                actor: actor.clone(),
            };
            send_packet(
                context,
                GroupId(record.envelope.authority),
                order.case,
                body,
            );
            context.touch_case(&mut record);
        }
    }
    Ok(standing(&record))
}

/// A decided case whose document, if one is owed, is issued.
pub(super) fn require_deliverable(record: &CaseRecord) -> Result<(), Refusal> {
    require_state(
        record,
        &[
            CaseState::Granted,
            CaseState::Refused,
            CaseState::NotAccepted,
        ],
    )?;
    match record.document {
        DocumentStage::Owed | DocumentStage::Prepared { .. } => Err(Refusal::DocumentPending),
        DocumentStage::None | DocumentStage::Issued { .. } => Ok(()),
    }
}
