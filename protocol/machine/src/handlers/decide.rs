//! 核: the decision, by another person than the reviewer. A refusal names its reasons and the
//! remedies (行政许可法 art. 38).

use tongban_types::{Actor, CaseState, Decide, Decision, SealedUse, Timestamp};

use super::collect::check_words;
use super::tell::tell_intake;
use crate::context::{Context, require_state, standing};
use crate::keyspace;
use crate::record::{DecisionRecord, DocumentStage};
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_decide(
    context: &mut Context<'_>,
    order: &Decide,
    actor: &Actor,
    at: Timestamp,
) -> Result<Reply, Refusal> {
    let mut record = context.case_to_decide(order.on)?;
    require_state(&record, &[CaseState::InReview])?;
    if record
        .review
        .as_ref()
        .is_some_and(|review| review.by.person == actor.person)
    {
        return Err(Refusal::ReviewerMayNotDecide);
    }
    if let Some(reason) = &order.reason {
        check_words(reason, SealedUse::Reason)?;
    } else if order.decision == Decision::Refuse {
        return Err(Refusal::ReasonMissing);
    }
    record.decision = Some(DecisionRecord {
        at,
        by: actor.clone(),
        decision: order.decision,
    });
    let state = match order.decision {
        Decision::Grant => CaseState::Granted,
        Decision::Refuse => CaseState::Refused,
    };
    let terms = context.terms(record.envelope.item)?;
    if order.decision == Decision::Grant && terms.document_type.is_some() {
        record.document = DocumentStage::Owed;
        context.draft.put(keyspace::owed(order.on.case), Vec::new());
    }
    context.move_case(&mut record, state, at, actor, order.reason.clone());
    tell_intake(context, &record);
    Ok(standing(&record))
}
