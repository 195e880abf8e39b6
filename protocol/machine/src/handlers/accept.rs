//! 受理: the authority accepts; the promised and the statutory clock start (行政许可法 art. 42). The day
//! of acceptance is not counted.

use tongban_types::{Actor, CaseState, OnCase, Timestamp};

use super::receive::clear_notice;
use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
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
    context.require_in_time(&record)?;
    let terms = context.terms(record.envelope.item)?;
    let day = at.china_day();
    record.promise_due = Some(context.due(day, terms.promise_days)?);
    record.statutory_due = terms
        .statutory_days
        .map(|days| context.due(day, days))
        .transpose()?;
    clear_notice(context, &mut record);
    record.accepted = Some(Acceptance {
        at,
        by: actor.clone(),
        deemed: false,
    });
    context.move_case(&mut record, CaseState::Accepted, at, actor, None);
    tell_intake(context, &record, None);
    Ok(standing(&record))
}
