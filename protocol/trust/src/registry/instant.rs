//! Times as TUF writes them: UTC to the second, `2026-11-24T00:00:00Z` and nothing else.

use tongban_types::{CivilDay, DAY_MS, Timestamp};

/// Writes a time; what is below a second is dropped, years beyond four digits do not occur in a
/// checked registry.
pub(crate) fn write_instant(at: Timestamp) -> String {
    let seconds = at.unix_seconds();
    let day = seconds.div_euclid(86_400);
    let of_day = seconds.rem_euclid(86_400);
    let (year, month, date) = CivilDay::from_days(i32::try_from(day).unwrap_or(i32::MAX)).ymd();
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads exactly that form; `None` for another form or a date there is not.
pub(super) fn read_instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let pattern = b"0000-00-00T00:00:00Z";
    let fits = bytes.len() == pattern.len()
        && bytes
            .iter()
            .zip(pattern)
            .all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            });
    if !fits {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = CivilDay::from_ymd(year, number(5, 7)?, number(8, 10)?)?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    Some(Timestamp::from_unix_ms(
        i64::from(day.days()) * DAY_MS + seconds * 1_000,
    ))
}

/// Whether a time survives being written and read: whole seconds of a four-digit year.
pub(super) fn is_writable(at: Timestamp) -> bool {
    read_instant(&write_instant(at)) == Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_was_written() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2026-11-24T23:59:59Z",
            "9999-12-31T00:00:01Z",
        ] {
            assert_eq!(write_instant(read_instant(text).unwrap()), text);
        }
        assert_eq!(
            read_instant("1970-01-02T00:00:01Z").unwrap().unix_ms(),
            DAY_MS + 1_000
        );
        assert!(!is_writable(Timestamp::from_unix_ms(1)));
        assert!(!is_writable(Timestamp::from_unix_ms(i64::MAX)));
        assert!(!is_writable(Timestamp::from_unix_ms(i64::MIN)));
    }

    #[test]
    fn another_form_or_no_such_time_is_refused() {
        for text in [
            "",
            "2026-11-24",
            "2026-11-24T23:59:59",
            "2026-11-24T23:59:59+08:00",
            "2026-02-30T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24 23:59:59Z",
            "2026-11-24T23:59:60Z",
            "+026-11-24T23:59:59Z",
            "２026-11-24T23:59:5Z",
        ] {
            assert_eq!(read_instant(text), None, "{text}");
        }
    }
}
