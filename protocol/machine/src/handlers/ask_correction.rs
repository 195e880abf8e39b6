//! 一次性告知: everything that is missing, asked once (行政许可法 art. 32(4)). The clock of the notice
//! stops; a second notice is refused.

use tongban_types::{Actor, AskCorrection, CaseState, SealedUse, Timestamp};

use super::collect::check_words;
use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::dues::clear_notice;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_ask_correction(
    context: &mut Context<'_>,
    order: &AskCorrection,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_to_decide(order.on)?;
    if record.noticed_at.is_some() {
        return Err(Refusal::NoticeAlreadyGiven);
    }
    require_state(&record, &[CaseState::Received])?;
    context.require_in_time(&mut record)?;
    check_words(&order.notice, SealedUse::Notice)?;
    clear_notice(context, &mut record);
    record.noticed_at = Some(at);
    let words = Some(order.notice.clone());
    context.move_case(&mut record, CaseState::CorrectionAsked, at, actor, words);
    tell_intake(context, &record);
    Ok(standing(&record))
}
