//! The number of a resident's identity card, GB 11643-1999 (公民身份号码). It is personal data: what
//! prints it prints a mask, and it has no `Serialize`, so that no derived record carries it outward
//! by accident.

use serde::{Deserialize, Deserializer};

use crate::check_character::mod_11_2;
use crate::{CivilDay, MalformedId};

/// First two digits that were given out: provinces of GB/T 2260, and 81, 82, 83 of the residence
/// permits of Hong Kong, Macao and Taiwan residents.
const PROVINCES: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83,
];

/// An 18-character resident identity number: region (6), birth date (8), sequence (3), check
/// character (ISO 7064 MOD 11-2, `X` in capitals).
///
/// The region is checked by its first two digits only, because codes of abolished counties stay
/// valid for life. `Debug` and `Display` are masked; [`expose`](Self::expose) is the number itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidentId([u8; 18]);

impl ResidentId {
    /// The whole number. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and X, checked when made")
    }

    /// The day of birth the number carries.
    pub fn birth_day(&self) -> CivilDay {
        birth_day(&self.0).expect("checked when made")
    }
}

/// Four digits of year, two of month, two of day from the seventh character on. Years outside
/// 1850–2199 are not births of anyone who can apply, nor will be while this format lives.
fn birth_day(number: &[u8; 18]) -> Option<CivilDay> {
    let part = |from: usize, to: usize| {
        number[from..to]
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    };
    let year = i32::try_from(part(6, 10)).ok()?;
    CivilDay::from_ymd(year, part(10, 12), part(12, 14)).filter(|_| (1850..2200).contains(&year))
}

impl std::str::FromStr for ResidentId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = |rule, rule_zh| MalformedId {
            what: "resident identity number",
            what_zh: "公民身份号码",
            given: format!("({} characters)", text.chars().count()),
            rule,
            rule_zh,
        };
        let number = <[u8; 18]>::try_from(text.as_bytes())
            .map_err(|_| malformed("18 characters (GB 11643)", "18 个字符 (GB 11643)"))?;
        let (content, check) = (&number[..17], number[17]);
        let expected = mod_11_2(content)
            .ok_or_else(|| malformed("the first 17 characters are digits", "前 17 位为数字"))?;
        if !PROVINCES.contains(&((number[0] - b'0') * 10 + (number[1] - b'0'))) {
            return Err(malformed(
                "the first two digits name a province",
                "前两位为省份代码",
            ));
        }
        if birth_day(&number).is_none() {
            return Err(malformed(
                "digits 7 to 14 are a date of birth, as 19900101",
                "第 7 至 14 位为出生日期, 如 19900101",
            ));
        }
        if check != expected {
            return Err(malformed(
                "the last character checks the others; one may be mistyped, or x stand for X",
                "末位为校验码, 可能录错一位, 或把 X 写成了 x",
            ));
        }
        Ok(Self(number))
    }
}

impl std::fmt::Display for ResidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.expose();
        write!(f, "{}********{}", &text[..6], &text[14..])
    }
}

impl std::fmt::Debug for ResidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResidentId({self})")
    }
}

impl<'de> Deserialize<'de> for ResidentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What of a refused text an error may show: short texts whole, of longer ones the first six
/// characters, which of a resident's number are only the region. People paste the wrong field.
pub(crate) fn shown(text: &str) -> String {
    let count = text.chars().count();
    if count <= 14 {
        return text.to_owned();
    }
    let start: String = text.chars().take(6).collect();
    format!("{start}… ({count} characters)")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checksum-valid with sequence 000, which is never given out: they name nobody.
    const NOBODY: [&str; 6] = [
        "350102199001010008",
        "350302199001010009",
        "350902199001010001",
        "350702199001010000",
        "610502199001010003",
        "621102199001010004",
    ];

    #[test]
    fn the_example_of_gb_11643_and_numbers_of_nobody_are_well_formed() {
        for text in NOBODY.into_iter().chain(["11010519491231002X"]) {
            let id: ResidentId = text.parse().unwrap();
            assert_eq!(id.expose(), text);
        }
        let id: ResidentId = "11010519491231002X".parse().unwrap();
        assert_eq!(id.birth_day().to_string(), "1949-12-31");
    }

    #[test]
    fn what_is_printed_is_masked() {
        let id: ResidentId = NOBODY[0].parse().unwrap();
        assert_eq!(id.to_string(), "350102********0008");
        assert_eq!(format!("{id:?}"), "ResidentId(350102********0008)");
    }

    #[test]
    fn an_error_never_repeats_the_number() {
        let error = "350102199001010009".parse::<ResidentId>().unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(
            !printed.contains("19900101") && !printed.contains("350102"),
            "{printed}"
        );
        assert_eq!(shown("350102199001010009"), "350102… (18 characters)");
    }

    #[test]
    fn what_only_resembles_a_number_is_refused() {
        let with_check = |content: &str| {
            let check = char::from(mod_11_2(content.as_bytes()).unwrap());
            format!("{content}{check}")
        };
        for (text, rule) in [
            ("11010519491231002x".to_owned(), "last character"),
            ("110105491231002".to_owned(), "18 characters"),
            ("３50102199001010008".to_owned(), "18 characters"),
            ("35010219900101O008".to_owned(), "are digits"),
            (with_check("16010219900101000"), "province"),
            (with_check("35010219900230000"), "date of birth"),
            (with_check("35010217990101000"), "date of birth"),
            ("350102199001010009".to_owned(), "last character"),
        ] {
            let error = text.parse::<ResidentId>().unwrap_err();
            assert!(error.rule.contains(rule), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_wrong_digit_and_every_transposition_is_seen(
            whose in 0..NOBODY.len(), at in 0usize..17, digit in b'0'..=b'9',
        ) {
            let right = NOBODY[whose].as_bytes();
            let mut wrong = right.to_vec();
            wrong[at] = digit;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(wrong.parse::<ResidentId>().is_ok(), wrong.as_bytes() == right);

            let mut swapped = right.to_vec();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            prop_assert_eq!(swapped.parse::<ResidentId>().is_ok(), swapped.as_bytes() == right);
        }

        #[test]
        fn any_text_is_answered(text in ".{0,24}|[0-9X]{18}") {
            if let Ok(id) = text.parse::<ResidentId>() {
                prop_assert_eq!(id.expose(), text);
            }
        }
    }
}
