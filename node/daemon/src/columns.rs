//! Columns on a terminal, where a Chinese character takes two places.

/// The places a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars()
        .map(|letter| if is_wide(letter) { 2 } else { 1 })
        .sum()
}

/// The text with blanks behind it up to `places`.
pub(crate) fn padded(text: &str, places: usize) -> String {
    let blanks = places.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// CJK, its punctuation, and full-width forms (Unicode TR11, the ranges our texts use).
fn is_wide(letter: char) -> bool {
    matches!(u32::from(letter),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_places() {
        assert_eq!(width("福州市 ok"), 9);
        assert_eq!(padded("福州", 6), "福州  ");
        assert_eq!(padded("福州", 3), "福州");
    }
}
