//! 受理: the authority accepts; the promised and the statutory clock start (行政许可法 art. 42). The day
//! of acceptance is not counted.

use tongban_types::{Actor, CaseState, OnCase, Timestamp};

use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::dues::{clear_notice, start_promise};
use crate::record::Acceptance;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_accept(
    context: &mut Context<'_>,
    order: OnCase,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_to_decide(order)?;
    require_state(&record, &[CaseState::Received, CaseState::Corrected])?;
    context.require_in_time(&mut record)?;
    start_promise(context, &mut record, at)?;
    clear_notice(context, &mut record);
    record.accepted = Some(Acceptance {
        at,
        by: actor.clone(),
        deemed: false,
    });
    context.move_case(&mut record, CaseState::Accepted, at, actor, None);
    tell_intake(context, &record);
    Ok(standing(&record))
}
