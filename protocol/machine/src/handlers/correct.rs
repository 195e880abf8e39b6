//! 补正: the corrected form, taken in where the applicant is; effective where the owner commits it.

use tongban_types::{Actor, CaseState, Correct, GroupId, PacketBody, Timestamp};

use super::collect::check_form;
use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::dues::restart_notice;
use crate::outbox::send_packet;
use crate::record::{Request, Standpoint};
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_correct(
    context: &mut Context<'_>,
    order: &Correct,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_at(order.on)?;
    require_state(&record, &[CaseState::CorrectionAsked])?;
    check_form(&order.form)?;
    if record.pending.is_some() {
        return Err(Refusal::RequestPending);
    }
    match record.standpoint {
        Standpoint::Owner => {
            record.form = order.form_hash;
            context.keep_form(order.on.case, &order.form);
            restart_notice(context, &mut record, at)?;
            context.move_case(&mut record, CaseState::Corrected, at, actor, None);
            tell_intake(context, &record);
        }
        Standpoint::Mirror => {
            record.pending = Some(Request::Correction);
            let body = PacketBody::Correction {
                form: order.form.clone(),
                form_hash: order.form_hash,
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
        }
    }
    Ok(standing(&record))
}
