//! Names of members, machines and people. Checked when made: a value of these types is well formed.

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::Code;
use crate::resident::shown;

/// Why a text is not an identifier.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{what} {given:?} is not well formed: {rule}")]
pub struct MalformedId {
    /// Which kind of identifier.
    pub what: &'static str,
    /// The same in Chinese.
    pub what_zh: &'static str,
    /// What was given; never a resident's number.
    pub given: String,
    /// The rule it breaks.
    pub rule: &'static str,
    /// The same in Chinese.
    pub rule_zh: &'static str,
}

impl MalformedId {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        Code::MALFORMED_IDENTIFIER
    }
}

/// A prefecture-level city: a GB/T 2260 code ending in 00 (350100 is Fuzhou).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CityCode(u32);

impl CityCode {
    /// Checks range and ending: `110000..=829900`, last two digits 00.
    pub fn new(code: u32) -> Result<Self, MalformedId> {
        let malformed = |rule, rule_zh| MalformedId {
            what: "city code",
            what_zh: "城市代码",
            given: code.to_string(),
            rule,
            rule_zh,
        };
        if !(110_000..=829_900).contains(&code) {
            return Err(malformed(
                "six digits from 110000 to 829900",
                "六位数字, 110000 至 829900",
            ));
        }
        if !code.is_multiple_of(100) {
            return Err(malformed("a city's code ends in 00", "城市代码以 00 结尾"));
        }
        Ok(Self(code))
    }

    /// The six digits as a number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for CityCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl std::str::FromStr for CityCode {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Self::new(number),
            _ => Err(MalformedId {
                what: "city code",
                what_zh: "城市代码",
                given: shown(text),
                rule: "six digits",
                rule_zh: "六位数字",
            }),
        }
    }
}

impl<'de> Deserialize<'de> for CityCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The approval group of a city, named by its city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub CityCode);

impl GroupId {
    /// The city whose cases the group holds.
    pub const fn city(self) -> CityCode {
        self.0
    }
}

impl std::fmt::Display for GroupId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One machine of a city: its city and a number 1..=99 that is never given twice. A machine that
/// lost its log comes back under a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeId(u32);

impl NodeId {
    /// The `number`-th node of a city, 1..=99.
    pub fn new(city: CityCode, number: u8) -> Result<Self, MalformedId> {
        if !(1..=99).contains(&number) {
            return Err(MalformedId {
                what: "node number",
                what_zh: "节点编号",
                given: number.to_string(),
                rule: "1 to 99",
                rule_zh: "1 至 99",
            });
        }
        Ok(Self(city.number() * 100 + u32::from(number)))
    }

    /// City code × 100 + number: the id Raft uses.
    pub const fn as_u64(self) -> u64 {
        self.0 as u64
    }

    /// The node of a Raft id.
    pub fn from_u64(raw: u64) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            what: "node id",
            what_zh: "节点号",
            given: raw.to_string(),
            rule: "eight digits",
            rule_zh: "八位数字",
        };
        let raw = u32::try_from(raw).map_err(|_| malformed())?;
        let city = CityCode::new(raw / 100)?;
        let number = u8::try_from(raw % 100).map_err(|_| malformed())?;
        Self::new(city, number)
    }

    /// The city it belongs to.
    pub fn city(self) -> CityCode {
        CityCode(self.0 / 100)
    }

    /// Its number within the city, 1..=99.
    pub fn number(self) -> u8 {
        u8::try_from(self.0 % 100).unwrap_or(0)
    }
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:02}", self.city(), self.number())
    }
}

impl std::str::FromStr for NodeId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            what: "node id",
            what_zh: "节点号",
            given: shown(text),
            rule: "a city code, a hyphen and two digits, as 350100-01",
            rule_zh: "城市代码、连字符和两位数字, 如 350100-01",
        };
        let (city, number) = text.split_once('-').ok_or_else(malformed)?;
        if number.len() != 2 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        Self::new(city.parse()?, number.parse().map_err(|_| malformed())?)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_u64(u64::from(u32::deserialize(deserializer)?)).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_by_its_city_and_number() {
        let node: NodeId = "350100-01".parse().unwrap();
        assert_eq!(node.to_string(), "350100-01");
        assert_eq!(NodeId::from_u64(node.as_u64()), Ok(node));
        assert!("350100-00".parse::<NodeId>().is_err());
        assert!("350102-01".parse::<NodeId>().is_err());
        assert!("350100-1".parse::<NodeId>().is_err());
    }

    #[test]
    fn a_county_is_not_a_city() {
        assert!(CityCode::new(350_102).is_err());
        assert!("+35010".parse::<CityCode>().is_err());
        assert!(CityCode::new(999_900).is_err());
    }
}
