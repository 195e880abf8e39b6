//! What is wrong with JSON: why a text is not strict, or why a reader of members does not take it.

use std::error::Error;

use tongban_api::Said;
use tongban_trust::JsonError;

use crate::handed_through::unmarked;

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let strict = error.downcast_ref::<JsonError>();
    strict
        .map(Said::of_strict_json)
        .or_else(|| error.downcast_ref::<serde_json::Error>().map(members))
}

/// The reader of members says what is wrong, and then the place where it has one.
fn members(error: &serde_json::Error) -> Said {
    let (line, column) = (error.line(), error.column());
    let place = format!(" at line {line} column {column}");
    let whole = error.to_string();
    let (what, place_zh, place_en) = match whole.strip_suffix(&place) {
        Some(what) => (what, format!("第 {line} 行第 {column} 列: "), place),
        None => (&*whole, String::new(), String::new()),
    };
    let Said { zh, en } = unmarked(what).unwrap_or_else(|| {
        let zh = if error.is_data() {
            refused(what)
        } else {
            format!("不是 JSON ({what})")
        };
        Said::new(zh, what)
    });
    Said::new(format!("{place_zh}{zh}"), format!("{en}{place_en}"))
}

/// What a reader of members refuses, in Chinese, by what it says in English without the place. What is said
/// most is said in Chinese; of the rest the reader's words stand in brackets.
pub(crate) fn refused(what: &str) -> String {
    let mut quoted = what.split('`').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let known = if known.is_empty() {
        String::new()
    } else {
        format!(", 可以是 {}", known.join(" "))
    };
    if what.starts_with("missing field") {
        format!("缺少 `{name}`")
    } else if what.starts_with("unknown field") {
        format!("不认识 `{name}`{known}")
    } else if what.starts_with("duplicate field") {
        format!("`{name}` 出现两次")
    } else if what.starts_with("unknown variant") {
        format!("`{name}` 不在可选的值之中{known}")
    } else if what.starts_with("invalid type") {
        format!("类型不对 ({what})")
    } else {
        format!("不合要求 ({what})")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use tongban_trust::read_strict;

    use super::super::tests::assert_said;
    use super::*;
    use crate::handed_through::refusal;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shaped {
        days: u8,
    }

    fn shape(text: &str) -> serde_json::Error {
        let read = serde_json::from_str::<Shaped>(text);
        read.map(|shaped| shaped.days).unwrap_err()
    }

    #[test]
    fn what_is_not_strict_is_said_in_both_languages() {
        let said = assert_said(&read_strict(b"{", 9).unwrap_err());
        assert!(said.zh.starts_with("第 1 字节处: "), "{said:?}");
    }

    #[test]
    fn what_a_reader_does_not_take_is_said_in_both_languages_with_its_place() {
        for (text, zh) in [
            ("{}", "缺少 `days`"),
            (r#"{"hours":1}"#, "不认识 `hours`, 可以是 days"),
            (r#"{"days":1,"days":1}"#, "`days` 出现两次"),
            (r#"{"days":"1"}"#, "类型不对 ("),
            (r#"{"days":999}"#, "不合要求 ("),
            (r#"{"days":"#, "不是 JSON ("),
            ("{]", "不是 JSON ("),
        ] {
            let said = assert_said(&shape(text));
            assert!(said.zh.starts_with("第 1 行第 "), "{said:?}");
            assert!(said.zh.contains(zh), "{said:?}");
            assert!(said.en.contains(" at line 1 column "), "{said:?}");
        }
    }

    #[test]
    fn what_has_no_place_is_said_without_one() {
        let error: serde_json::Error = serde::de::Error::custom("it is wrong");
        let told = Said::new("不合要求 (it is wrong)", "it is wrong");
        assert_eq!(assert_said(&error), told);
        let marked = Said::new("写错了", "it is wrong");
        let error: serde_json::Error = refusal(&marked);
        assert_eq!(assert_said(&error), marked);
    }
}
