//! Check characters of ISO/IEC 7064:2003: the pure system MOD 11-2 and the hybrid system
//! MOD 37,36. Only the arithmetic; which identifier has which system is said where it lives.

/// The MOD 11-2 check character of ASCII digits: `0`–`9` or `X`. `None` if one is not a digit.
///
/// It sees every single wrong digit and every transposition of neighbours.
pub(crate) fn mod_11_2(digits: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for &digit in digits {
        sum = (sum + value(digit, 10)?) * 2 % 11;
    }
    Some(match (12 - sum) % 11 {
        10 => b'X',
        check => symbol(check),
    })
}

/// The MOD 37,36 check character of ASCII digits and capital letters: one of the same 36. `None`
/// if one is something else.
///
/// It sees every single wrong character. A transposition of neighbours it does not see in one
/// state of 36, and then only of characters that follow one another in the alphabet (`0` and `Z`
/// do too).
pub(crate) fn mod_37_36(text: &[u8]) -> Option<u8> {
    let mut product = 36;
    for &character in text {
        let sum = match (product + value(character, 36)?) % 36 {
            0 => 36,
            sum => sum,
        };
        product = sum * 2 % 37;
    }
    Some(symbol((37 - product) % 36))
}

/// 0–9 of digits, 10–35 of capital letters; `None` from `below` on and for anything else.
pub(crate) fn value(character: u8, below: u32) -> Option<u32> {
    let value = match character {
        b'0'..=b'9' => character - b'0',
        b'A'..=b'Z' => character - b'A' + 10,
        _ => return None,
    };
    Some(u32::from(value)).filter(|&value| value < below)
}

fn symbol(value: u32) -> u8 {
    const SYMBOLS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    SYMBOLS[value as usize % SYMBOLS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(text: &str, system: fn(&[u8]) -> Option<u8>) -> bool {
        let (content, check) = text.as_bytes().split_at(text.len() - 1);
        system(content) == Some(check[0])
    }

    #[test]
    fn the_examples_of_the_standard_and_of_gb_11643_pass_mod_11_2() {
        for text in ["07940", "079X", "11010519491231002X"] {
            assert!(checks(text, mod_11_2), "{text}");
        }
    }

    #[test]
    fn real_electronic_licences_pass_mod_37_36_and_an_altered_one_does_not() {
        for text in [
            "A12425GABC1234002M",
            "11100000MB032716990223401000000000160019",
            "11100000000013338W01111430000006122244L20230000403001U",
            "11100000000013338W00911330105002500287C20250522010020",
            "11350100000000019N00111350100000000019N20260000010015",
        ] {
            assert!(checks(text, mod_37_36), "{text}");
        }
        assert!(!checks(
            "11100000MB032716990223401000000000170019",
            mod_37_36
        ));
    }

    #[test]
    fn characters_outside_the_alphabet_have_no_check_character() {
        assert_eq!(mod_11_2(b"12A"), None);
        assert_eq!(mod_37_36(b"12a"), None);
        assert_eq!(mod_37_36("１".as_bytes()), None);
    }
}
