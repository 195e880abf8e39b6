//! The unified social credit code of an organisation, GB 32100-2015 (统一社会信用代码). It names an
//! organisation, is public, and is printed in full.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::MalformedId;
use crate::check_character::value;
use crate::resident::shown;

/// The 31 characters of GB 32100 §4: no I, O, S, V, Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// An 18-character credit code: registering department (1), category (1), division (6), body code
/// of GB 11714 with its own check character (9), check character (1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode([u8; 18]);

impl CreditCode {
    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("characters of the alphabet, checked when made")
    }

    /// Whether it names an organ of government (机关, registered under `11`), as departments that
    /// accept and decide are.
    pub fn is_government_body(&self) -> bool {
        self.0.starts_with(b"11")
    }
}

/// GB 32100 §4.5: weights 3ⁱ mod 31, check = (31 − Σ mod 31) mod 31.
fn outer_check(content: &[u8]) -> Option<u8> {
    let (mut sum, mut weight) = (0, 1);
    for character in content {
        sum += ALPHABET.iter().position(|known| known == character)? * weight;
        weight = weight * 3 % 31;
    }
    Some(ALPHABET[(31 - sum % 31) % 31])
}

/// GB 11714 §4: weights 3 7 9 10 5 8 4 2 over eight characters, check = 11 − Σ mod 11, where ten is
/// `X` and eleven is `0`.
fn body_check(body: &[u8]) -> Option<u8> {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let mut sum = 0;
    for (&character, weight) in body.iter().zip(WEIGHTS) {
        sum += value(character, 36)? * weight;
    }
    Some(match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        check => b'0' + u8::try_from(check).ok()?,
    })
}

impl std::str::FromStr for CreditCode {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = |rule, rule_zh| MalformedId {
            what: "unified social credit code",
            what_zh: "统一社会信用代码",
            given: shown(text),
            rule,
            rule_zh,
        };
        let code = <[u8; 18]>::try_from(text.as_bytes())
            .map_err(|_| malformed("18 characters (GB 32100)", "18 个字符 (GB 32100)"))?;
        let expected = outer_check(&code[..17]).ok_or_else(|| {
            malformed(
                "digits and capital letters without I, O, S, V, Z",
                "数字和大写字母, 不用 I、O、S、V、Z",
            )
        })?;
        if !code[2..8].iter().all(u8::is_ascii_digit) {
            return Err(malformed(
                "characters 3 to 8 are a division code",
                "第 3 至 8 位为行政区划代码",
            ));
        }
        if code[17] != expected {
            return Err(malformed(
                "the last character checks the others",
                "末位为校验码",
            ));
        }
        if body_check(&code[8..16]) != Some(code[16]) {
            return Err(malformed(
                "character 17 checks the eight before it (GB 11714)",
                "第 17 位为其前八位的校验码 (GB 11714)",
            ));
        }
        Ok(Self(code))
    }
}

impl std::fmt::Display for CreditCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CreditCode({self})")
    }
}

impl Serialize for CreditCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CreditCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WELL_FORMED: [&str; 13] = [
        // Public bodies.
        "12441500196720244T",
        "11350128345071904J",
        "11100000MB0341032Y",
        "11370800MB28559184",
        "11370883MB2857374H",
        // Bodies that do not exist.
        "11350100000000019N",
        "11610500000000019Y",
        "11621100000000019T",
        "113503000000000191",
        "113509000000000190",
        "11350700000000019M",
        "91350100000000019E",
        "91610500000000019N",
    ];

    #[test]
    fn real_and_synthetic_codes_pass_both_checks() {
        for text in WELL_FORMED {
            let code: CreditCode = text.parse().unwrap();
            assert_eq!(code.to_string(), text);
            assert_eq!(code.is_government_body(), text.starts_with("11"));
        }
    }

    #[test]
    fn the_body_code_is_checked_for_itself() {
        let mut code = *b"11350100000000018?";
        code[17] = outer_check(&code[..17]).unwrap();
        let text = std::str::from_utf8(&code).unwrap();
        let error = text.parse::<CreditCode>().unwrap_err();
        assert!(error.rule.contains("GB 11714"), "{error}");
    }

    #[test]
    fn letters_that_look_like_digits_are_refused() {
        for text in [
            "1135O100000000019N",
            "11350100000000019n",
            "1135010000000019N",
        ] {
            assert!(text.parse::<CreditCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_residents_number_in_the_wrong_field_is_not_repeated() {
        let error = "350102199001010008".parse::<CreditCode>().unwrap_err();
        assert!(!error.to_string().contains("19900101"), "{error}");
    }

    #[test]
    fn a_code_is_text_in_json_and_checked_when_it_comes_back() {
        let code: CreditCode = WELL_FORMED[0].parse().unwrap();
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(json, r#""12441500196720244T""#);
        assert_eq!(serde_json::from_str::<CreditCode>(&json).unwrap(), code);
        assert!(serde_json::from_str::<CreditCode>(r#""12441500196720244A""#).is_err());
    }

    proptest! {
        #[test]
        fn every_wrong_character_and_every_transposition_is_seen(
            whose in 0..WELL_FORMED.len(), at in 0usize..17, with in 0usize..31,
        ) {
            let right = WELL_FORMED[whose].as_bytes();
            let mut wrong = right.to_vec();
            wrong[at] = ALPHABET[with];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(wrong.parse::<CreditCode>().is_ok(), wrong.as_bytes() == right);

            let mut swapped = right.to_vec();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            prop_assert_eq!(swapped.parse::<CreditCode>().is_ok(), swapped.as_bytes() == right);
        }

        #[test]
        fn any_text_is_answered(text in ".{0,24}|[0-9A-Z]{18}") {
            if let Ok(code) = text.parse::<CreditCode>() {
                prop_assert_eq!(code.as_str(), text);
            }
        }
    }
}
