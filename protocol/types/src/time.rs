//! Time as the protocol writes it: UTC milliseconds. People see Asia/Shanghai (UTC+8, no daylight
//! saving since 1991); no clock is read here.

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// One day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// Offset of the legal time of the People's Republic of China from UTC, in milliseconds.
pub const CHINA_OFFSET_MS: i64 = 8 * 3_600_000;

impl Timestamp {
    /// The moment `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down, as JWT's `NumericDate` (RFC 7519).
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The moment `ms` milliseconds later, or the last one there is.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if it came first.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The civil day in China that holds this moment.
    pub fn china_day(self) -> CivilDay {
        let days = self.0.saturating_add(CHINA_OFFSET_MS).div_euclid(DAY_MS);
        CivilDay(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }
}

/// A civil day in China, counted from 1970-01-01.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CivilDay(i32);

impl CivilDay {
    /// The day `days` after 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day of a Gregorian date; `None` if there is no such date.
    ///
    /// Algorithm: days from civil, proleptic Gregorian calendar (H. Hinnant, 2013).
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || !(-9999..=9999).contains(&year) {
            return None;
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if day == 0 || day > length {
            return None;
        }
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let shifted = i32::try_from((month + 9) % 12).ok()?;
        let day_of_year = (153 * shifted + 2) / 5 + i32::try_from(day).ok()? - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// Year, month (1..=12), day (1..=31).
    pub fn ymd(self) -> (i32, u32, u32) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let narrow = |v: i64| u32::try_from(v).unwrap_or(0);
        (i32::try_from(year).unwrap_or(0), narrow(month), narrow(day))
    }

    /// The day `days` later.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Monday = 1 … Sunday = 7 (ISO 8601).
    pub fn weekday(self) -> u8 {
        u8::try_from((i64::from(self.0) + 3).rem_euclid(7) + 1).unwrap_or(1)
    }

    /// Its last millisecond by the clocks of China: 23:59:59.999.
    pub fn last_ms(self) -> Timestamp {
        Timestamp((i64::from(self.0) + 1) * DAY_MS - CHINA_OFFSET_MS - 1)
    }

    /// Its first millisecond by the clocks of China.
    pub fn first_ms(self) -> Timestamp {
        Timestamp(i64::from(self.0) * DAY_MS - CHINA_OFFSET_MS)
    }
}

impl std::fmt::Display for CivilDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        for days in -30_000..120_000 {
            let day = CivilDay::from_days(days);
            let (y, m, d) = day.ymd();
            assert_eq!(CivilDay::from_ymd(y, m, d), Some(day));
        }
    }

    #[test]
    fn the_day_in_china_begins_at_sixteen_hundred_utc() {
        let noon_utc = CivilDay::from_ymd(2026, 2, 13).unwrap().first_ms();
        assert_eq!(noon_utc.plus_ms(-1).china_day().to_string(), "2026-02-12");
        assert_eq!(noon_utc.china_day().to_string(), "2026-02-13");
        assert_eq!(CivilDay::from_ymd(2026, 11, 23).unwrap().weekday(), 1);
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        assert_eq!(CivilDay::from_ymd(2026, 2, 29), None);
        assert_eq!(CivilDay::from_ymd(2100, 2, 29), None);
        assert_eq!(CivilDay::from_ymd(2026, 13, 1), None);
        assert_eq!(CivilDay::from_ymd(2026, 4, 31), None);
        assert!(CivilDay::from_ymd(2024, 2, 29).is_some());
    }
}
