//! 不予受理: the authority does not accept, and says why (行政许可法 art. 32).

use tongban_types::{Actor, CaseState, SealedUse, Timestamp, WithReason};

use super::collect::check_words;
use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::dues::clear_notice;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_refuse_to_accept(
    context: &mut Context<'_>,
    order: &WithReason,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_to_decide(order.on)?;
    require_state(&record, &[CaseState::Received, CaseState::Corrected])?;
    context.require_in_time(&mut record)?;
    check_words(&order.reason, SealedUse::Reason)?;
    clear_notice(context, &mut record);
    let words = Some(order.reason.clone());
    context.move_case(&mut record, CaseState::NotAccepted, at, actor, words);
    tell_intake(context, &record);
    Ok(standing(&record))
}
