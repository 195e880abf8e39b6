//! Group time and what fires by it. Group time is the (f+1)-th largest of the voters' latest
//! reports and never goes back, so that one voter can neither hurry nor stop it.

use tongban_types::{Actor, CaseState, DAY_MS, NodeId, Timestamp, VoterReport, limits};

use crate::context::Context;
use crate::handlers::tell_intake;
use crate::keyspace::{self, range_of};
use crate::record::{Acceptance, CaseRecord, Standpoint};
use crate::refusal::Refusal;
use crate::view::View;

/// Takes in a voter's report; group time follows.
pub(crate) fn on_report(context: &mut Context<'_>, report: &VoterReport) -> Result<(), Refusal> {
    let registry = context.registry()?;
    let voters: Vec<NodeId> = registry.voters(context.group).to_vec();
    if !voters.contains(&report.voter) {
        return Err(Refusal::KeyWithoutRight);
    }
    let key = keyspace::report(report.voter);
    let latest: Option<Timestamp> = context.draft.load(&key);
    if latest.is_none_or(|latest| report.time > latest) {
        context.draft.store(key, &report.time);
    }
    let mut times: Vec<Timestamp> = voters
        .iter()
        .filter_map(|voter| context.draft.load(&keyspace::report(*voter)))
        .collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let faulty_max = voters.len().saturating_sub(1) / 2;
    if let Some(time) = times.get(faulty_max) {
        context.ground.time = context.ground.time.max(*time);
    }
    Ok(())
}

/// Fires the deadlines that group time has passed, oldest first, a bounded number.
pub(crate) fn fire_deadlines(context: &mut Context<'_>) {
    let (from, _) = range_of(keyspace::DEADLINES);
    // Only deadlines before this millisecond: a deadline is a last moment still in time.
    let until = keyspace::deadline_bound(context.ground.time);
    let due = context
        .draft
        .scan(&from, &until, limits::DEADLINES_PER_ENTRY_MAX);
    for (key, _) in due {
        let fired = keyspace::read_deadline(&key);
        context.draft.delete(key);
        if let Some((_, number)) = fired
            && let Some(record) = context.case(number)
        {
            on_notice_over(context, record);
        }
    }
    context.draft.keep();
}

/// A day reckoned past the last published calendar is provisional: it never accepts a case. It is
/// reckoned again, by the calendar of now, until it is firm.
fn on_notice_over(context: &mut Context<'_>, mut record: CaseRecord) {
    let waits = matches!(record.state, CaseState::Received | CaseState::Corrected);
    let (true, Standpoint::Owner, Some(mut due)) = (waits, record.standpoint, record.notice_due)
    else {
        return;
    };
    if due.provisional {
        let terms = context.terms(record.envelope.item);
        let day = record.notice_from.china_day();
        if let Ok(again) = terms.and_then(|terms| context.due(day, terms.notice_days)) {
            due = again;
            record.notice_due = Some(due);
        }
    }
    if due.provisional || due.at >= context.ground.time {
        // A firm day is looked at when it is over, one not yet firm once a day until it is.
        let look_again = if due.provisional {
            due.at.max(context.ground.time.plus_ms(DAY_MS))
        } else {
            due.at
        };
        let key = keyspace::deadline(look_again, record.envelope.number);
        context.draft.put(key, Vec::new());
        context
            .draft
            .store(keyspace::case(record.envelope.number), &record);
        return;
    }
    deem_accepted(context, record, due.at);
}

/// 行政许可法 art. 32(4): no notice in five working days counts as acceptance.
fn deem_accepted(context: &mut Context<'_>, mut record: CaseRecord, at: Timestamp) {
    let by = Actor::system(context.group.city());
    // Without terms or calendar the case could not have been entered; then it is only not dated.
    let terms = context.terms(record.envelope.item).ok();
    let day = at.china_day();
    record.promise_due = terms
        .as_ref()
        .and_then(|terms| context.due(day, terms.promise_days).ok());
    record.statutory_due = terms
        .and_then(|terms| terms.statutory_days)
        .and_then(|days| context.due(day, days).ok());
    record.accepted = Some(Acceptance {
        at,
        by: by.clone(),
        deemed: true,
    });
    record.notice_due = None;
    context.move_case(&mut record, CaseState::Accepted, at, &by, None);
    tell_intake(context, &record, None);
}
