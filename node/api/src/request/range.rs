//! `Range` (RFC 9110 §14): one range of bytes. Several at once, and what is malformed, are passed over, as
//! the standard allows: the whole is answered.

use std::ops::Range;

/// What of a file is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// What it does not have.
    Beyond,
}

impl Asked {
    /// Reads the header for a file of `size` bytes.
    pub(crate) fn of(header: Option<&str>, size: u64) -> Self {
        let Some((first, last)) = header
            .and_then(|header| header.trim().strip_prefix("bytes="))
            .and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        let (first, last) = (first.trim(), last.trim());
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first > last => Self::Whole,
            (Some(first), _) if first >= size && (last.is_empty() || number(last).is_some()) => {
                Self::Beyond
            }
            (Some(first), Some(last)) => Self::Part(first..last.saturating_add(1).min(size)),
            (Some(first), None) if last.is_empty() => Self::Part(first..size),
            (None, Some(0)) if first.is_empty() => Self::Beyond,
            (None, Some(_)) if first.is_empty() && size == 0 => Self::Beyond,
            (None, Some(tail)) if first.is_empty() => Self::Part(size.saturating_sub(tail)..size),
            _ => Self::Whole,
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_everything_else_is_the_whole() {
        let cases = [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-5", Asked::Part(2..6)),
            ("bytes=2-", Asked::Part(2..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-30", Asked::Part(0..10)),
            ("bytes=8-99999999999999999999999", Asked::Part(8..10)),
            ("bytes=10-", Asked::Beyond),
            ("bytes=10-12", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("lines=0-1", Asked::Whole),
            ("", Asked::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(Asked::of(Some(header), 10), expected, "{header}");
        }
        assert_eq!(Asked::of(None, 10), Asked::Whole);
        assert_eq!(Asked::of(Some("bytes=0-"), 0), Asked::Beyond);
        assert_eq!(Asked::of(Some("bytes=-1"), 0), Asked::Beyond);
    }
}
