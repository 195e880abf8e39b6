//! Times as people write and read them: RFC 3339 in, Beijing time out.

use jiff::tz::Offset;
use tongban_types::Timestamp;

use crate::misread::Misread;

/// Reads an RFC 3339 time with its offset, as it is typed on a command line or in a plan.
pub(crate) fn read_time(text: &str) -> Result<Timestamp, Misread> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Timestamp::from_unix_ms(time.as_millisecond()))
        .map_err(|_| {
            Misread::new(
                "应为带时区的 RFC 3339 时间, 如 2026-11-24T08:00:00+08:00",
                "write an RFC 3339 time with its offset, such as 2026-11-24T08:00:00+08:00",
            )
        })
}

/// A time as people in China read it, to the second: `2026-11-24 08:00:00 +08:00`.
pub(crate) fn beijing(at: Timestamp) -> String {
    in_beijing(at, "%Y-%m-%d %H:%M:%S +08:00").unwrap_or_else(|| format!("{} ms", at.unix_ms()))
}

/// The same in the name of a file: `2026-11-24T080000`. Names are in the order of their times.
pub(crate) fn file_stamp(at: Timestamp) -> String {
    in_beijing(at, "%Y-%m-%dT%H%M%S").unwrap_or_else(|| at.unix_ms().to_string())
}

/// Nothing of a time that no calendar has.
fn in_beijing(at: Timestamp, form: &str) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(at.unix_ms()).ok()?;
    let there = Offset::constant(8).to_datetime(time);
    Some(there.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_with_an_offset_is_read_and_shown_as_in_beijing() {
        let time = read_time("2026-11-24T00:00:00Z").unwrap();
        assert_eq!(time, read_time("2026-11-24T08:00:00+08:00").unwrap());
        assert_eq!(beijing(time), "2026-11-24 08:00:00 +08:00");
        assert_eq!(file_stamp(time), "2026-11-24T080000");
        assert!(beijing(Timestamp::from_unix_ms(i64::MAX)).ends_with("ms"));
        for text in ["", "2026-11-24", "2026-11-24T00:00:00", "now"] {
            assert!(read_time(text).is_err(), "{text}");
        }
    }
}
