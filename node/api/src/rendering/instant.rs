//! Moments as RFC 3339 text in the legal time of China.

use tongban_types::{CHINA_OFFSET_MS, DAY_MS, Timestamp};

/// 2026-03-02T09:30:00.000+08:00
pub(crate) fn china_time(at: Timestamp) -> String {
    let day = at.china_day();
    let of_day = at
        .unix_ms()
        .saturating_add(CHINA_OFFSET_MS)
        .rem_euclid(DAY_MS);
    let (seconds, ms) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}.{ms:03}+08:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_by_the_clocks_of_china() {
        let at = |ms| china_time(Timestamp::from_unix_ms(ms));
        assert_eq!(at(0), "1970-01-01T08:00:00.000+08:00");
        assert_eq!(at(1_772_415_000_123), "2026-03-02T09:30:00.123+08:00");
        assert_eq!(at(-28_800_001), "1969-12-31T23:59:59.999+08:00");
    }
}
