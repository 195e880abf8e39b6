//! Administrative divisions, GB/T 2260: six-digit codes of provinces, cities and counties, their
//! names, and the prefixes by which a division finds the city that answers for it. Who answers for
//! what is not known here; the registry says it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::division_table::TABLE;
use crate::resident::shown;
use crate::{CityCode, MalformedId};

/// A six-digit division code of any level: 350000 a province, 350100 a city, 350102 a county.
///
/// Text in formats for people, a `u32` in others. Its shape is checked, not that it is given out:
/// codes come and go, and a case may name one that is not in any table yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Division(u32);

/// How large a division is, read from the zeros its code ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DivisionLevel {
    /// 省级: ends in 0000.
    Province,
    /// 地级: ends in 00.
    City,
    /// 县级.
    County,
}

impl Division {
    /// Checks the range 110000..=829999.
    pub fn new(code: u32) -> Result<Self, MalformedId> {
        if !(110_000..=829_999).contains(&code) {
            return Err(malformed(
                &code.to_string(),
                "six digits from 110000 to 829999",
                "六位数字, 110000 至 829999",
            ));
        }
        Ok(Self(code))
    }

    /// The six digits as a number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Province, city or county.
    pub const fn level(self) -> DivisionLevel {
        match self.0 {
            code if code.is_multiple_of(10_000) => DivisionLevel::Province,
            code if code.is_multiple_of(100) => DivisionLevel::City,
            _ => DivisionLevel::County,
        }
    }

    /// The province it is, or lies in.
    #[must_use]
    pub const fn province(self) -> Self {
        Self(self.0 / 10_000 * 10_000)
    }

    /// The city it is, or lies in, by its digits; `None` of a province.
    pub fn city(self) -> Option<CityCode> {
        match self.level() {
            DivisionLevel::Province => None,
            DivisionLevel::City | DivisionLevel::County => CityCode::new(self.0 / 100 * 100).ok(),
        }
    }

    /// Itself and what it lies in, longest prefix first: 350102, 350100, 350000. The first of them
    /// that a city answers for decides, as the longest prefix does in IP routing, so that a county
    /// with a node of its own goes before its city.
    pub fn prefixes(self) -> impl Iterator<Item = Self> {
        let city = Self(self.0 / 100 * 100);
        let province = self.province();
        std::iter::once(self)
            .chain((city != self).then_some(city))
            .chain((province != city).then_some(province))
    }

    /// Its own name in Chinese, if it is in the table: every province and prefecture-level city,
    /// and the counties of the member cities.
    pub fn name(self) -> Option<&'static str> {
        TABLE
            .binary_search_by_key(&self.0, |&(code, _)| code)
            .ok()
            .map(|found| TABLE[found].1)
    }

    /// Its name with what it lies in, largest first, as people read it: 福建省福州市鼓楼区. A part
    /// that is not in the table is left out, and the code follows if it is the last one:
    /// 陕西省西安市（610102）.
    pub fn full_name(self) -> String {
        let parts: Vec<Self> = self.prefixes().collect();
        let names: String = parts.iter().rev().filter_map(|part| part.name()).collect();
        if self.name().is_some() {
            names
        } else {
            format!("{names}（{self}）")
        }
    }

    /// The division of a Chinese name, bare (鼓楼区), within its city (福州市鼓楼区) or in full;
    /// `None` if the table has none or more than one.
    pub fn named(name: &str) -> Option<Self> {
        let mut found = TABLE
            .iter()
            .filter(|(_, own)| name.ends_with(own))
            .map(|&(code, _)| Self(code))
            .filter(|division| division.is_called(name));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    fn is_called(self, name: &str) -> bool {
        let mut called = String::new();
        self.prefixes().filter_map(Self::name).any(|part| {
            called.insert_str(0, part);
            called == name
        })
    }
}

fn malformed(given: &str, rule: &'static str, rule_zh: &'static str) -> MalformedId {
    MalformedId {
        what: "division code",
        what_zh: "行政区划代码",
        given: shown(given),
        rule,
        rule_zh,
    }
}

impl From<CityCode> for Division {
    fn from(city: CityCode) -> Self {
        Self(city.number())
    }
}

impl std::str::FromStr for Division {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(code) if digits => Self::new(code),
            _ => Err(malformed(text, "six digits", "六位数字")),
        }
    }
}

impl std::fmt::Display for Division {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl std::fmt::Debug for Division {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Division({self})")
    }
}

impl Serialize for Division {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u32(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Division {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse()
        } else {
            Self::new(u32::deserialize(deserializer)?)
        }
        .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn division(code: u32) -> Division {
        Division::new(code).unwrap()
    }

    #[test]
    fn the_table_is_in_order_and_every_row_is_found_by_its_full_name() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for &(code, name) in TABLE {
            let division = division(code);
            assert_eq!(division.name(), Some(name));
            assert_eq!(Division::named(&division.full_name()), Some(division));
        }
    }

    #[test]
    fn the_member_cities_have_all_their_counties() {
        for (city, counties) in [
            (350_100, 13),
            (350_300, 5),
            (350_700, 10),
            (350_900, 9),
            (610_500, 11),
            (621_100, 7),
        ] {
            let found = TABLE.iter().filter(|(code, _)| code / 100 == city / 100);
            assert_eq!(found.count(), counties + 1, "{city}");
        }
    }

    #[test]
    fn names_lead_to_codes_and_back() {
        assert_eq!(division(350_102).full_name(), "福建省福州市鼓楼区");
        assert_eq!(division(610_500).full_name(), "陕西省渭南市");
        assert_eq!(division(610_102).full_name(), "陕西省西安市（610102）");
        assert_eq!(division(110_105).full_name(), "北京市（110105）");
        assert_eq!(division(829_999).full_name(), "澳门特别行政区（829999）");
        for name in ["鼓楼区", "福州市鼓楼区", "福建省福州市鼓楼区"] {
            assert_eq!(Division::named(name), Some(division(350_102)), "{name}");
        }
        for name in ["", "区", "福建省鼓楼区", "渭南市鼓楼区", "亚特兰蒂斯市"] {
            assert_eq!(Division::named(name), None, "{name}");
        }
    }

    #[test]
    fn the_longest_prefix_comes_first() {
        let prefixes = |code| {
            division(code)
                .prefixes()
                .map(Division::number)
                .collect::<Vec<_>>()
        };
        assert_eq!(prefixes(350_102), [350_102, 350_100, 350_000]);
        assert_eq!(prefixes(350_100), [350_100, 350_000]);
        assert_eq!(prefixes(350_000), [350_000]);
    }

    #[test]
    fn a_county_knows_its_city_and_a_province_has_none() {
        let weinan = CityCode::new(610_500).unwrap();
        assert_eq!(division(610_582).city(), Some(weinan));
        assert_eq!(division(610_500).city(), Some(weinan));
        assert_eq!(division(610_000).city(), None);
        assert_eq!(division(610_582).province(), division(610_000));
        assert_eq!(Division::from(weinan).level(), DivisionLevel::City);
    }

    #[test]
    fn a_code_is_text_for_people_and_a_number_for_machines() {
        let json = serde_json::to_string(&division(350_102)).unwrap();
        assert_eq!(json, r#""350102""#);
        assert_eq!(
            serde_json::from_str::<Division>(&json).unwrap(),
            division(350_102)
        );
        let bytes = postcard::to_allocvec(&division(350_102)).unwrap();
        assert_eq!(bytes, postcard::to_allocvec(&350_102_u32).unwrap());
        let outside = postcard::to_allocvec(&999_999_u32).unwrap();
        assert!(postcard::from_bytes::<Division>(&outside).is_err());
        assert!(serde_json::from_str::<Division>(r#""+35010""#).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,12}|[0-9]{6}") {
            let _ = Division::named(&text);
            if let Ok(division) = text.parse::<Division>() {
                prop_assert_eq!(division.to_string(), text);
                prop_assert!(!division.full_name().is_empty());
                let lengths = division.prefixes().map(Division::level);
                prop_assert!(lengths.is_sorted_by(|a, b| a > b));
            }
        }
    }
}
