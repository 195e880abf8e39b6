//! The working-day calendar (行政许可法 art. 82: limits are in working days, without statutory
//! holidays). Holidays and make-up workdays are set year by year by a notice of the General Office
//! of the State Council, so the calendar is data with a version; the law's rules on limits are not
//! here.

mod day_text;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{CivilDay, Code};

/// Years one calendar may cover. Cases live some years; a calendar is one command of the log.
const YEARS_MAX: usize = 64;

/// Holidays, and make-up workdays, of one year. A notice names seven of each at most.
const ENTRIES_MAX: usize = 32;

/// Bytes of a name or a title. The longest holiday, 国庆节、中秋节, has 21.
const TEXT_BYTES_MAX: usize = 256;

/// Working days a year has at least. The notices give 248 to 251; below 200 a date is mistyped.
const WORKING_DAYS_MIN: u16 = 200;

/// 9999-12-31, the last day with four digits of year; later ones are reckoned as it is.
const LAST_DAY: CivilDay = CivilDay::from_days(2_932_896);

/// Consecutive days of rest, weekend days among them included, as a notice states them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Its name in Chinese.
    pub name: String,
    /// The first day of rest.
    #[serde(with = "day_text")]
    pub first: CivilDay,
    /// The last day of rest.
    #[serde(with = "day_text")]
    pub last: CivilDay,
}

/// One published year. A day is filed under the year it lies in, also where the notice of the next
/// year sets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarYear {
    /// The year.
    pub year: i32,
    /// The notice that set it, by title or number.
    pub notice: String,
    /// Days of rest, in order.
    pub holidays: Vec<Holiday>,
    /// Weekend days that are worked (调休), in order.
    #[serde(with = "day_text::list")]
    pub make_up_workdays: Vec<CivilDay>,
}

/// Published years without a gap, under a version that grows with every change; every replica of a
/// group reckons by the same one. In formats for people its days are written 2026-02-15.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedCalendar")]
pub struct Calendar {
    version: u32,
    years: Vec<CalendarYear>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedCalendar {
    version: u32,
    years: Vec<CalendarYear>,
}

/// The day a limit ends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDay {
    /// The last day of the limit.
    pub day: CivilDay,
    /// Reckoned over a year that is not published: to be reckoned again when it is.
    pub provisional: bool,
}

/// Why years are not a calendar.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UnsoundCalendar {
    /// Version 0.
    #[error("a calendar's version is 1 or more")]
    NoVersion,
    /// No year, or more than fit.
    #[error("a calendar covers 1 to {YEARS_MAX} years, not {0}")]
    YearCount(usize),
    /// Years do not follow one another.
    #[error("after {before} comes {}, not {given}", before + 1)]
    YearOrder {
        /// The year before.
        before: i32,
        /// What followed.
        given: i32,
    },
    /// A year no notice was ever made for, or none can name.
    #[error("{0} is not a year from 1949 to 9999")]
    YearRange(i32),
    /// More holidays or make-up workdays than fit.
    #[error("{year} has more than {ENTRIES_MAX} holidays or make-up workdays")]
    TooManyEntries {
        /// The year.
        year: i32,
    },
    /// A name or title is empty or too long.
    #[error("a name or notice of {year} is empty or longer than {TEXT_BYTES_MAX} bytes")]
    Text {
        /// The year.
        year: i32,
    },
    /// A holiday ends before it begins, leaves its year, or is not after the one before.
    #[error("the holiday {name} of {year} is not in its place")]
    Holiday {
        /// The year.
        year: i32,
        /// The holiday.
        name: String,
    },
    /// A make-up workday is no weekend day, lies in a holiday or another year, or is out of order.
    #[error("the make-up workday {0} is not in its place")]
    MakeUpWorkday(CivilDay),
    /// So few working days that a date must be mistyped.
    #[error("{year} would have {count} working days, fewer than {WORKING_DAYS_MIN}")]
    TooFewWorkingDays {
        /// The year.
        year: i32,
        /// What was counted.
        count: u16,
    },
}

impl UnsoundCalendar {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        Code::UNSOUND_CALENDAR
    }
}

impl Calendar {
    /// Checks that the years follow one another and each is sound.
    pub fn new(version: u32, years: Vec<CalendarYear>) -> Result<Self, UnsoundCalendar> {
        if version == 0 {
            return Err(UnsoundCalendar::NoVersion);
        }
        if years.is_empty() || years.len() > YEARS_MAX {
            return Err(UnsoundCalendar::YearCount(years.len()));
        }
        for year in &years {
            year.check()?;
        }
        for pair in years.windows(2) {
            let (before, given) = (pair[0].year, pair[1].year);
            if given != before + 1 {
                return Err(UnsoundCalendar::YearOrder { before, given });
            }
        }
        Ok(Self { version, years })
    }

    /// Its version, from 1.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The published years, in order.
    pub fn years(&self) -> &[CalendarYear] {
        &self.years
    }

    /// Whether the year of a day is published.
    pub fn covers(&self, day: CivilDay) -> bool {
        self.year_of(day).is_some()
    }

    /// Whether people work on a day; of a year that is not published, Monday to Friday.
    pub fn is_working_day(&self, day: CivilDay) -> bool {
        let day = day.min(LAST_DAY);
        self.year_of(day)
            .map_or_else(|| is_weekday(day), |year| year.is_working_day(day))
    }

    /// The day a limit of `count` working days ends on: the `count`-th working day after `start`,
    /// which is not counted. Of no days (即办件, immediate), `start` itself, or the next working
    /// day if nobody works on it.
    ///
    /// Past the published years Monday to Friday are counted, and the day is provisional.
    pub fn add_working_days(&self, start: CivilDay, count: u16) -> DueDay {
        let start = start.min(LAST_DAY);
        let mut day = start.plus(i32::from(count > 0));
        let mut left = count.max(1);
        let mut provisional = false;
        loop {
            if day > LAST_DAY {
                // No day of time is left to count.
                return DueDay {
                    day: LAST_DAY,
                    provisional: true,
                };
            }
            if !self.covers(day) {
                provisional = true;
                if self.is_past(day) {
                    // Whole weeks at once, so that no limit takes long to reckon.
                    let weeks = (left - 1) / 5;
                    day = day.plus(i32::from(weeks) * 7);
                    left -= weeks * 5;
                }
            }
            if self.is_working_day(day) {
                left -= 1;
                if left == 0 {
                    return DueDay { day, provisional };
                }
            }
            day = day.plus(1);
        }
    }

    /// How many working days a published year has.
    pub fn working_days_of(&self, year: i32) -> Option<u16> {
        let of_year = self.years.iter().find(|known| known.year == year)?;
        Some(of_year.working_days())
    }

    fn year_of(&self, day: CivilDay) -> Option<&CalendarYear> {
        let index = day.ymd().0.checked_sub(self.years.first()?.year)?;
        self.years.get(usize::try_from(index).ok()?)
    }

    fn is_past(&self, day: CivilDay) -> bool {
        self.years.last().is_none_or(|last| day.ymd().0 > last.year)
    }
}

impl CalendarYear {
    fn check(&self) -> Result<(), UnsoundCalendar> {
        let year = self.year;
        if !(1949..=9999).contains(&year) {
            return Err(UnsoundCalendar::YearRange(year));
        }
        if self.holidays.len() > ENTRIES_MAX || self.make_up_workdays.len() > ENTRIES_MAX {
            return Err(UnsoundCalendar::TooManyEntries { year });
        }
        let mut texts = self.holidays.iter().map(|holiday| &holiday.name);
        let fits = |text: &String| (1..=TEXT_BYTES_MAX).contains(&text.len());
        if !fits(&self.notice) || !texts.all(fits) {
            return Err(UnsoundCalendar::Text { year });
        }
        let mut after = None;
        for holiday in &self.holidays {
            let within = [holiday.first, holiday.last].map(|day| day.ymd().0) == [year; 2];
            if !within || holiday.last < holiday.first || after >= Some(holiday.first) {
                return Err(UnsoundCalendar::Holiday {
                    year,
                    name: holiday.name.clone(),
                });
            }
            after = Some(holiday.last);
        }
        let mut after = None;
        for &day in &self.make_up_workdays {
            let within = day.ymd().0 == year && !is_weekday(day) && !self.is_holiday(day);
            if !within || after >= Some(day) {
                return Err(UnsoundCalendar::MakeUpWorkday(day));
            }
            after = Some(day);
        }
        match self.working_days() {
            count if count < WORKING_DAYS_MIN => {
                Err(UnsoundCalendar::TooFewWorkingDays { year, count })
            }
            _ => Ok(()),
        }
    }

    fn is_working_day(&self, day: CivilDay) -> bool {
        self.make_up_workdays.contains(&day) || (is_weekday(day) && !self.is_holiday(day))
    }

    fn is_holiday(&self, day: CivilDay) -> bool {
        self.holidays
            .iter()
            .any(|holiday| (holiday.first..=holiday.last).contains(&day))
    }

    fn working_days(&self) -> u16 {
        let first = CivilDay::from_ymd(self.year, 1, 1).unwrap_or_default();
        let days = (0..366).map(|days| first.plus(days));
        days.filter(|&day| day.ymd().0 == self.year && self.is_working_day(day))
            .fold(0, |count, _| count + 1)
    }
}

fn is_weekday(day: CivilDay) -> bool {
    day.weekday() <= 5
}

impl TryFrom<UncheckedCalendar> for Calendar {
    type Error = UnsoundCalendar;

    fn try_from(unchecked: UncheckedCalendar) -> Result<Self, UnsoundCalendar> {
        Self::new(unchecked.version, unchecked.years)
    }
}

#[cfg(test)]
mod tests;
