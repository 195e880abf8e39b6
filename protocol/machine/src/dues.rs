//! What is due when: the day by which silence counts as acceptance, the promised and the statutory
//! day. A day reckoned past the last published calendar is provisional and fires nothing; it is
//! reckoned again by the next calendar.

use tongban_types::{CaseNumber, DueTime, GroupId, ItemTerms, Timestamp, limits};

use crate::context::Context;
use crate::handlers::tell_intake;
use crate::keyspace::{self, Deadline};
use crate::record::{CaseRecord, Standpoint};
use crate::refusal::Refusal;
use crate::view::View;

/// Starts the clock of the notice, from the citizen's time of receipt (行政许可法 art. 32(4)). It runs
/// from the moment a package is collected; it fires in the group of the authority alone, elsewhere the
/// day is shown as due.
pub(crate) fn start_notice(
    context: &mut Context<'_>,
    record: &mut CaseRecord,
) -> Result<(), Refusal> {
    let from = record.envelope.collected_at;
    run_notice(context, record, from)
}

/// Starts it again from a correction: a complete package must be accepted. It cannot have been handed
/// in before it was asked for, nor later than now.
pub(crate) fn restart_notice(
    context: &mut Context<'_>,
    record: &mut CaseRecord,
    corrected_at: Timestamp,
) -> Result<(), Refusal> {
    let asked = record.noticed_at.unwrap_or(corrected_at);
    let from = corrected_at.max(asked).min(context.ground.time);
    run_notice(context, record, from)
}

fn run_notice(
    context: &mut Context<'_>,
    record: &mut CaseRecord,
    from: Timestamp,
) -> Result<(), Refusal> {
    record.notice_from = from;
    record.in_log_at = context.ground.time;
    let due = reckon_notice(context, record)?;
    set_notice(context, record, due);
    Ok(())
}

/// Stops the clock of the notice.
pub(crate) fn clear_notice(context: &mut Context<'_>, record: &mut CaseRecord) {
    if let Some(due) = record.notice_due.take() {
        let number = record.envelope.number;
        context
            .draft
            .delete(keyspace::deadline(due.at, number, Deadline::Notice));
    }
}

/// The day the notice is due by: so many working days after the applicant's day, but never before
/// whoever must answer had the package in its own log for a working day. A late package, a desk whose
/// clock is slow or a city that lies about the day costs the authority no more than that day; the
/// acceptance itself is dated back all the same.
pub(crate) fn reckon_notice(
    context: &mut Context<'_>,
    record: &CaseRecord,
) -> Result<DueTime, Refusal> {
    let number = record.envelope.number;
    let days = context.terms(record.envelope.item)?.notice_days;
    let by_law = context.due(number, record.notice_from.china_day(), days)?;
    let in_log = record.in_log_at.china_day();
    let at_least = context.due(number, in_log, limits::NOTICE_IN_LOG_DAYS)?;
    Ok(DueTime {
        at: by_law.at.max(at_least.at),
        provisional: by_law.provisional || at_least.provisional,
        calendar: by_law.calendar,
    })
}

fn set_notice(context: &mut Context<'_>, record: &mut CaseRecord, due: DueTime) {
    clear_notice(context, record);
    record.notice_due = Some(due);
    let fires = GroupId(record.envelope.authority) == context.group && !due.provisional;
    if fires {
        let key = keyspace::deadline(due.at, record.envelope.number, Deadline::Notice);
        context.draft.put(key, Vec::new());
    }
}

/// Starts the promised and the statutory clock of an accepted case (行政许可法 art. 42); the day of
/// acceptance is not counted.
pub(crate) fn start_promise(
    context: &mut Context<'_>,
    record: &mut CaseRecord,
    accepted_at: Timestamp,
) -> Result<(), Refusal> {
    let terms: ItemTerms = context.terms(record.envelope.item)?;
    let (number, day) = (record.envelope.number, accepted_at.china_day());
    record.promise_due = Some(context.due(number, day, terms.promise_days)?);
    record.statutory_due = match terms.statutory_days {
        Some(days) => Some(context.due(number, day, days)?),
        None => None,
    };
    Ok(())
}

/// Reckons the provisional days of a case again, if a newer calendar is in force than they were
/// reckoned by. Whether there was one.
pub(crate) fn reckon_again(context: &mut Context<'_>, record: &mut CaseRecord) -> bool {
    let newest = context.ground.calendar;
    let is_old =
        |due: &Option<DueTime>| due.is_some_and(|due| due.provisional && due.calendar < newest);
    let (notice, promise) = (
        is_old(&record.notice_due),
        is_old(&record.promise_due) || is_old(&record.statutory_due),
    );
    // Terms and calendar were there when the day was first reckoned, and stay.
    if notice && let Ok(due) = reckon_notice(context, record) {
        set_notice(context, record, due);
    }
    if promise && let Some(accepted) = &record.accepted {
        let accepted_at = accepted.at;
        let _reckoned = start_promise(context, record, accepted_at);
    }
    notice || promise
}

/// After a newer calendar came: reckons again what was provisional, a bounded number of cases an
/// entry. What thereby turns out to be over fires in the same entry.
pub(crate) fn sweep_provisional(context: &mut Context<'_>) {
    let (from, until) = keyspace::provisional_before(context.ground.calendar);
    let marked = context
        .draft
        .scan(&from, &until, limits::RECKONED_PER_ENTRY_MAX);
    for (key, _) in marked {
        let number: Option<CaseNumber> = keyspace::read_provisional(&key);
        context.draft.delete(key);
        let Some(mut record) = number.and_then(|number| context.case(number)) else {
            continue;
        };
        // A mirror is told by its owner.
        if record.standpoint == Standpoint::Owner && reckon_again(context, &mut record) {
            context
                .draft
                .store(keyspace::case(record.envelope.number), &record);
            if GroupId(record.envelope.authority) == context.group {
                tell_intake(context, &record);
            }
        }
    }
    context.draft.keep();
}
