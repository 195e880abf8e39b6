//! Group time and what fires by it. Group time is the (f+1)-th largest of the voters' latest
//! reports and never goes back, so that one voter can neither hurry nor stop it.

use serde::{Deserialize, Serialize};
use tongban_types::{Actor, CaseState, GroupId, NodeId, Timestamp, VoterReport, limits};

use crate::context::Context;
use crate::dues::{clear_notice, start_promise};
use crate::handlers::tell_intake;
use crate::keyspace::{self, Deadline, range_of};
use crate::record::{Acceptance, CaseRecord, Standpoint};
use crate::refusal::Refusal;
use crate::view::View;

/// What a voter said last; of two, the one that knew more of the log was said later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct LastReport {
    index: u64,
    time: Timestamp,
}

/// Takes in a voter's report; group time follows. The latest in the log counts, so that a clock which
/// was once far ahead and is right again pulls no group along. A report that knows less of the log
/// than the one before was said earlier: carried again by whoever hosts the log, it would turn the
/// voter's clock back.
pub(crate) fn on_report(context: &mut Context<'_>, report: &VoterReport) -> Result<(), Refusal> {
    let voters: Vec<NodeId> = context.placement(context.group)?.voters;
    if !voters.contains(&report.voter) {
        return Err(Refusal::KeyWithoutRight);
    }
    let key = keyspace::report(report.voter);
    let last: Option<LastReport> = context.draft.load(&key);
    let latest = LastReport {
        index: report.index,
        time: report.time,
    };
    if last.is_some_and(|last| latest < last) {
        return Err(Refusal::Superseded);
    }
    context.draft.store(key, &latest);
    let mut times: Vec<Timestamp> = voters
        .iter()
        .filter_map(|voter| context.draft.load(&keyspace::report(*voter)))
        .map(|last: LastReport| last.time)
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
        if let Some((_, number, deadline)) = fired
            && let Some(record) = context.case(number)
            && record.standpoint == Standpoint::Owner
        {
            match deadline {
                Deadline::Notice => on_notice_over(context, record),
                Deadline::Mirror => tell_intake(context, &record),
            }
        }
    }
    context.draft.keep();
}

/// 行政许可法 art. 32(4): no notice in five working days counts as acceptance, from the day of receipt
/// (or of correction) on. It is silence from *collected* on where the city that collects is the
/// authority.
fn on_notice_over(context: &mut Context<'_>, record: CaseRecord) {
    let waits = matches!(
        record.state,
        CaseState::Collected | CaseState::Received | CaseState::Corrected
    );
    let is_ours = GroupId(record.envelope.authority) == context.group;
    let is_over = record
        .notice_due
        .is_some_and(|due| !due.provisional && due.at < context.ground.time);
    if waits && is_ours && is_over {
        deem_accepted(context, record);
    }
}

fn deem_accepted(context: &mut Context<'_>, mut record: CaseRecord) {
    let by = Actor::system(context.group.city());
    let at = record.notice_from;
    clear_notice(context, &mut record);
    // Without terms or calendar the case could not have been entered; then it is only not dated.
    let _dated = start_promise(context, &mut record, at);
    record.received_at.get_or_insert(record.in_log_at);
    record.accepted = Some(Acceptance {
        at,
        by: by.clone(),
        deemed: true,
    });
    context.move_case(&mut record, CaseState::Accepted, at, &by, None);
    tell_intake(context, &record);
}
