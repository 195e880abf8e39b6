//! The law accepts nothing before the last day of a notice is over by the clocks of honest hosts.
//! The days are counted here anew, from what the applicant and the authority did.

use std::collections::{BTreeMap, BTreeSet};

use tongban_machine::CaseRecord;
use tongban_types::{Calendar, CaseNumber, CivilDay, GroupId, Timestamp};

use super::Violation;
use crate::world::sight::Sight;

const NAME: &str = "no early deadline";

/// Working days of a notice (行政许可法 art. 32(4)).
const NOTICE_DAYS: u32 = 5;

/// Which deemed acceptances were seen, each judged when it first was.
#[derive(Debug, Default)]
pub struct NoEarlyDeadline {
    seen: BTreeSet<CaseNumber>,
}

impl NoEarlyDeadline {
    /// Judges deemed acceptances not seen before: `shown` is the latest time the clock of an honest
    /// voter of a group ever showed.
    pub fn check(
        &mut self,
        sight: &Sight,
        shown: &BTreeMap<GroupId, Timestamp>,
        calendar: &Calendar,
    ) -> Result<(), Violation> {
        for (_, record) in sight.records() {
            let number = record.envelope.number;
            let is_deemed = record.accepted.as_ref().is_some_and(|it| it.deemed);
            if !is_deemed || !self.seen.insert(number) {
                continue;
            }
            let over = first_moment_after(record, calendar);
            let authority = GroupId(record.envelope.authority);
            let latest = shown.get(&authority).copied().unwrap_or_default();
            if latest < over {
                let early = over.ms_since(latest);
                let what = format!("{number} was accepted by silence {early} ms before its time");
                return Err(Violation::new(NAME, what));
            }
        }
        Ok(())
    }

    /// How many were seen.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none was seen.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// The end of the fifth working day after the application was received, or after the notice of
/// corrections if one was given: the applicant corrected it on that day at the earliest.
fn first_moment_after(record: &CaseRecord, calendar: &Calendar) -> Timestamp {
    let from = record.noticed_at.max(Some(record.envelope.collected_at));
    let mut day = from.unwrap_or_default().china_day();
    let mut left = NOTICE_DAYS;
    while left > 0 {
        day = day.plus(1);
        left -= u32::from(is_worked(day, calendar));
    }
    day.plus(1).first_ms()
}

fn is_worked(day: CivilDay, calendar: &Calendar) -> bool {
    let mut years = calendar.years().iter();
    let Some(year) = years.find(|year| year.year == day.ymd().0) else {
        return day.weekday() <= 5;
    };
    let rests = |day| {
        let mut holidays = year.holidays.iter();
        holidays.any(|holiday| holiday.first <= day && day <= holiday.last)
    };
    year.make_up_workdays.contains(&day) || (day.weekday() <= 5 && !rests(day))
}
