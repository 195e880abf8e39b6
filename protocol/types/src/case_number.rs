//! The number of a case (办件编号): given once where the case is collected and shared by every city
//! it passes through. Each city may add numbers of its own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::check_character::mod_37_36;
use crate::resident::shown;
use crate::{CityCode, CivilDay, MalformedId};

/// 2000-01-01 and 9999-12-31: days with four digits of year, none before the first such system.
const DAYS: std::ops::RangeInclusive<i32> = 10_957..=2_932_896;

/// A case number of 23 characters: intake city (6), day as yyyyMMdd (8), number of the node (2),
/// that node's sequence of the day (6), check character (ISO 7064 MOD 37,36).
///
/// The desks of one city never collide, because each counts under its own node's number. Text in
/// formats for people, four integers in others; either is checked when it is read. Its order is
/// that of its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNumber {
    city: CityCode,
    day: CivilDay,
    node: u8,
    sequence: u32,
}

impl CaseNumber {
    /// Length of the text, in characters and bytes.
    pub const LENGTH: usize = 23;

    /// The last sequence of a node's day: six digits.
    pub const SEQUENCE_MAX: u32 = 999_999;

    /// The `sequence`-th case (at most [`SEQUENCE_MAX`](Self::SEQUENCE_MAX)) that node number
    /// `node` (1..=99) of a city collected on a day from 2000 to 9999.
    pub fn new(
        city: CityCode,
        day: CivilDay,
        node: u8,
        sequence: u32,
    ) -> Result<Self, MalformedId> {
        let malformed = |given: String, rule, rule_zh| MalformedId {
            what: "case number",
            what_zh: "办件编号",
            given,
            rule,
            rule_zh,
        };
        if !DAYS.contains(&day.days()) {
            return Err(malformed(
                day.to_string(),
                "a day from 2000 to 9999",
                "日期在 2000 年至 9999 年之间",
            ));
        }
        if !(1..=99).contains(&node) {
            return Err(malformed(
                node.to_string(),
                "a node's number is 1 to 99",
                "节点编号为 1 至 99",
            ));
        }
        if sequence > Self::SEQUENCE_MAX {
            return Err(malformed(
                sequence.to_string(),
                "a day's sequence has six digits",
                "当日序号为六位数字",
            ));
        }
        Ok(Self {
            city,
            day,
            node,
            sequence,
        })
    }

    /// The city that collected the case.
    pub const fn intake_city(self) -> CityCode {
        self.city
    }

    /// The day in China on which it was collected.
    pub const fn day(self) -> CivilDay {
        self.day
    }

    /// The number, within its city, of the node that collected it.
    pub const fn node_number(self) -> u8 {
        self.node
    }

    /// Which case of that node's day it is.
    pub const fn sequence(self) -> u32 {
        self.sequence
    }

    /// The number as text: ASCII digits and the check character. Every key of a case is made of it.
    pub fn text(self) -> [u8; Self::LENGTH] {
        let (year, month, day) = self.day.ymd();
        let year = u32::try_from(year).expect("a year from 2000 to 9999");
        let mut text = [0; Self::LENGTH];
        put_digits(self.city.number(), &mut text[..6]);
        put_digits(year, &mut text[6..10]);
        put_digits(month, &mut text[10..12]);
        put_digits(day, &mut text[12..14]);
        put_digits(u32::from(self.node), &mut text[14..16]);
        put_digits(self.sequence, &mut text[16..22]);
        text[22] = mod_37_36(&text[..22]).expect("all of it is digits");
        text
    }
}

impl std::fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.text();
        f.write_str(std::str::from_utf8(&text).expect("digits and a letter"))
    }
}

/// Writes a number in decimal digits, with zeros in front.
fn put_digits(number: u32, digits: &mut [u8]) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
    }
}

impl std::fmt::Debug for CaseNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CaseNumber({self})")
    }
}

impl std::str::FromStr for CaseNumber {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = |rule, rule_zh| MalformedId {
            what: "case number",
            what_zh: "办件编号",
            given: shown(text),
            rule,
            rule_zh,
        };
        let number = <[u8; Self::LENGTH]>::try_from(text.as_bytes())
            .map_err(|_| malformed("23 characters", "23 个字符"))?;
        let (digits, check) = (&number[..22], number[22]);
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(malformed(
                "22 digits and a check character",
                "22 位数字和一个校验码",
            ));
        }
        if mod_37_36(digits) != Some(check) {
            return Err(malformed(
                "the last character checks the others; one may be mistyped",
                "末位为校验码, 可能录错一位",
            ));
        }
        let part = |from: usize, to: usize| {
            digits[from..to]
                .iter()
                .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
        };
        let year = i32::try_from(part(6, 10)).expect("four digits");
        let day = CivilDay::from_ymd(year, part(10, 12), part(12, 14)).ok_or_else(|| {
            malformed(
                "digits 7 to 14 are a date, as 20260302",
                "第 7 至 14 位为日期, 如 20260302",
            )
        })?;
        let node = u8::try_from(part(14, 16)).expect("two digits");
        Self::new(CityCode::new(part(0, 6))?, day, node, part(16, 22))
    }
}

impl Serialize for CaseNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.city, self.day, self.node, self.sequence).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for CaseNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse()
        } else {
            let (city, day, node, sequence) = Deserialize::deserialize(deserializer)?;
            Self::new(city, day, node, sequence)
        }
        .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "3501002026030201000001";

    fn number() -> CaseNumber {
        let day = CivilDay::from_ymd(2026, 3, 2).unwrap();
        CaseNumber::new(CityCode::new(350_100).unwrap(), day, 1, 1).unwrap()
    }

    fn any_number() -> impl Strategy<Value = CaseNumber> {
        let cities = prop::sample::select(vec![350_100, 350_300, 610_500, 621_100, 829_900]);
        (cities, DAYS, 1u8..=99, 0..=CaseNumber::SEQUENCE_MAX).prop_map(
            |(city, day, node, sequence)| {
                let city = CityCode::new(city).unwrap();
                CaseNumber::new(city, CivilDay::from_days(day), node, sequence).unwrap()
            },
        )
    }

    #[test]
    fn its_text_says_where_when_and_by_which_node_it_was_collected() {
        let text = number().to_string();
        assert_eq!(text.len(), CaseNumber::LENGTH);
        assert_eq!(&text[..22], TEXT);
        let read: CaseNumber = text.parse().unwrap();
        assert_eq!(read, number());
        assert_eq!(read.intake_city().number(), 350_100);
        assert_eq!(read.day().to_string(), "2026-03-02");
        assert_eq!((read.node_number(), read.sequence()), (1, 1));
    }

    #[test]
    fn the_first_and_last_of_everything_have_a_text() {
        for (day, node, sequence) in [
            (*DAYS.start(), 1, 0),
            (*DAYS.end(), 99, CaseNumber::SEQUENCE_MAX),
        ] {
            let city = CityCode::new(829_900).unwrap();
            let number = CaseNumber::new(city, CivilDay::from_days(day), node, sequence).unwrap();
            assert_eq!(number.to_string().parse(), Ok(number));
        }
        assert_eq!(CivilDay::from_days(*DAYS.start()).to_string(), "2000-01-01");
        assert_eq!(CivilDay::from_days(*DAYS.end()).to_string(), "9999-12-31");
    }

    #[test]
    fn what_does_not_fit_its_digits_is_refused() {
        let city = CityCode::new(350_100).unwrap();
        let day = number().day();
        assert!(CaseNumber::new(city, day, 0, 1).is_err());
        assert!(CaseNumber::new(city, day, 100, 1).is_err());
        assert!(CaseNumber::new(city, day, 1, 1_000_000).is_err());
        assert!(CaseNumber::new(city, CivilDay::from_days(DAYS.start() - 1), 1, 1).is_err());
        assert!(CaseNumber::new(city, CivilDay::from_days(i32::MAX), 1, 1).is_err());
    }

    #[test]
    fn a_right_check_character_does_not_excuse_wrong_content() {
        for digits in [
            "3501022026030201000001",
            "3501002026023001000001",
            "3501002026030200000001",
            "3501001999123101000001",
        ] {
            let check = char::from(mod_37_36(digits.as_bytes()).unwrap());
            assert!(format!("{digits}{check}").parse::<CaseNumber>().is_err());
        }
    }

    #[test]
    fn it_is_text_for_people_and_four_integers_for_machines() {
        let json = serde_json::to_string(&number()).unwrap();
        assert_eq!(json, format!("\"{}\"", number()));
        assert_eq!(serde_json::from_str::<CaseNumber>(&json).unwrap(), number());
        let bytes = postcard::to_allocvec(&number()).unwrap();
        assert_eq!(
            bytes,
            postcard::to_allocvec(&(350_100_u32, number().day().days(), 1_u8, 1_u32)).unwrap()
        );
        let outside = postcard::to_allocvec(&(350_100_u32, 20_000_i32, 0_u8, 1_u32)).unwrap();
        assert!(postcard::from_bytes::<CaseNumber>(&outside).is_err());
    }

    proptest! {
        #[test]
        fn every_number_round_trips_and_orders_as_its_text(a in any_number(), b in any_number()) {
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            let bytes = postcard::to_allocvec(&a).unwrap();
            prop_assert_eq!(postcard::from_bytes::<CaseNumber>(&bytes), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn every_single_wrong_digit_is_seen(number in any_number(), at in 0usize..22, digit in b'0'..=b'9') {
            let right = number.to_string();
            let mut wrong = right.clone().into_bytes();
            wrong[at] = digit;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(wrong.parse::<CaseNumber>().is_ok(), wrong == right);
        }

        /// ISO 7064 hybrid systems miss one state in 36, and only for values that differ by one.
        #[test]
        fn digits_that_differ_by_more_than_one_are_not_transposed_unseen(number in any_number(), at in 0usize..21) {
            let right = number.to_string().into_bytes();
            prop_assume!(right[at].abs_diff(right[at + 1]) > 1);
            let mut wrong = right;
            wrong.swap(at, at + 1);
            prop_assert!(String::from_utf8(wrong).unwrap().parse::<CaseNumber>().is_err());
        }

        #[test]
        fn any_text_is_answered(text in ".{0,30}|[0-9]{22}[0-9A-Z]") {
            if let Ok(number) = text.parse::<CaseNumber>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            if let Ok(number) = postcard::from_bytes::<CaseNumber>(&bytes) {
                prop_assert_eq!(number.to_string().parse(), Ok(number));
            }
        }
    }
}
