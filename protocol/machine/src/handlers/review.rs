//! 审: the first of the two persons a decision needs (一审一核).

use tongban_types::{Actor, CaseState, Review, SealedUse, Timestamp};

use super::collect::check_words;
use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::record::ReviewRecord;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_review(
    context: &mut Context<'_>,
    order: &Review,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_to_decide(order.on)?;
    require_state(&record, &[CaseState::Accepted])?;
    check_words(&order.opinion, SealedUse::Reason)?;
    record.review = Some(ReviewRecord {
        at,
        by: actor.clone(),
        recommend: order.recommend,
    });
    context.move_case(
        &mut record,
        CaseState::InReview,
        at,
        actor,
        Some(order.opinion.clone()),
    );
    // The opinion is the authority's own: the receiving city learns only that a review was done.
    tell_intake(context, &record);
    Ok(standing(&record))
}
