//! Why what was typed is no value of its argument, in both languages: as our own readers say it, and as the
//! command line and the standard library do.

use std::error::Error;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use tongban_api::Said;
use tongban_types::MalformedId;

use crate::misread::Misread;

/// What the reader of a value says. What nobody knows here is alike in both languages.
pub(super) fn of(error: &(dyn Error + 'static)) -> Said {
    let text = error.to_string();
    if let Some(misread) = error.downcast_ref::<Misread>() {
        misread.says.clone()
    } else if let Some(malformed) = error.downcast_ref::<MalformedId>() {
        identifier(malformed)
    } else if let Some(number) = error.downcast_ref::<ParseIntError>() {
        Said::new(whole_number(number), text)
    } else if error.is::<ParseFloatError>() {
        Said::new("应为数字", text)
    } else if let Some((number, range)) = text.split_once(" is not in ") {
        Said::new(format!("{number} 不在 {range} 之内"), &text)
    } else {
        Said::alike(text)
    }
}

fn identifier(malformed: &MalformedId) -> Said {
    let MalformedId {
        what,
        what_zh,
        rule,
        rule_zh,
        ..
    } = malformed;
    Said::new(
        format!("{what_zh}不合规则: {rule_zh}"),
        format!("the {what} is not well formed: {rule}"),
    )
}

fn whole_number(error: &ParseIntError) -> &'static str {
    match error.kind() {
        IntErrorKind::PosOverflow => "数字太大",
        IntErrorKind::NegOverflow => "数字太小",
        _ => "应为整数",
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::NodeId;

    use super::*;
    use crate::both_languages::assert_said;

    #[test]
    fn why_a_value_is_none_is_said_in_both_languages() {
        let number = |text: &str| text.parse::<u64>().unwrap_err();
        let errors: [Box<dyn Error>; 6] = [
            Box::new(Misread::new("应为城市", "write a city")),
            Box::new("abc".parse::<NodeId>().unwrap_err()),
            Box::new(number("abc")),
            Box::new(number("99999999999999999999")),
            Box::new("abc".parse::<f64>().unwrap_err()),
            "0 is not in 1..=3600".into(),
        ];
        for error in errors {
            assert_said(&of(error.as_ref()));
        }
        let unknown: Box<dyn Error> = "the disk is gone".into();
        assert_eq!(of(unknown.as_ref()), Said::alike("the disk is gone"));
    }
}
