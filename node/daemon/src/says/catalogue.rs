//! What is wrong with files of the catalogue and with forms, and what of their JSON.

use std::error::Error;

use tongban_api::{CatalogueError, FormFault, Said};
use tongban_trust::JsonError;

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let file = error.downcast_ref::<CatalogueError>();
    let form = error.downcast_ref::<FormFault>();
    file.map(CatalogueError::says)
        .or_else(|| form.map(FormFault::says))
        .or_else(|| error.downcast_ref::<JsonError>().map(Said::of_strict_json))
        .or_else(|| error.downcast_ref::<serde_json::Error>().map(of_shape))
}

/// The reader of members says in English what is wrong, then the place. What it says most is said in
/// Chinese too; the rest of it stands behind the place as it is.
fn of_shape(error: &serde_json::Error) -> Said {
    let en = error.to_string();
    let (line, column) = (error.line(), error.column());
    let what = en.strip_suffix(&format!(" at line {line} column {column}"));
    let what = what.unwrap_or(&en);
    let name = what.split('`').nth(1).unwrap_or_default();
    let zh = if what.starts_with("missing field") {
        format!("缺少 `{name}`")
    } else if what.starts_with("unknown field") {
        format!("不认识 `{name}`")
    } else if what.starts_with("duplicate field") {
        format!("`{name}` 出现两次")
    } else if what.starts_with("unknown variant") {
        format!("`{name}` 不在可选的值之中")
    } else if what.starts_with("invalid type") {
        format!("类型不对 ({what})")
    } else {
        format!("值不对 ({what})")
    };
    Said::new(format!("第 {line} 行第 {column} 列: {zh}"), en)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use tongban_trust::JsonFault;

    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

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
        for fault in [
            JsonFault::TooLarge { bytes: 9, max: 8 },
            JsonFault::NotUtf8,
            JsonFault::DuplicateMember,
            JsonFault::NotAnInteger,
            JsonFault::IntegerTooLarge,
            JsonFault::LoneSurrogate,
            JsonFault::TooDeep,
        ] {
            let said = assert_said(&JsonError { offset: 7, fault });
            assert!(said.zh.starts_with("第 7 字节处: "), "{said:?}");
        }
        assert_said(&tongban_trust::read_strict(b"{", 9).unwrap_err());
    }

    #[test]
    fn what_has_not_its_shape_is_said_in_both_languages_with_its_place() {
        for (text, zh) in [
            ("{}", "缺少 `days`"),
            (r#"{"hours":1}"#, "不认识 `hours`"),
            (r#"{"days":1,"days":1}"#, "`days` 出现两次"),
            (r#"{"days":"1"}"#, "类型不对 ("),
            (r#"{"days":999}"#, "值不对 ("),
        ] {
            let said = assert_said(&shape(text));
            assert!(said.zh.starts_with("第 1 行第 "), "{said:?}");
            assert!(said.zh.contains(zh), "{said:?}");
        }
    }

    #[test]
    fn an_error_is_said_with_its_cause_in_one_language_a_line() {
        let file = "1.json".to_owned();
        let source = shape("{}");
        let said = line(&CatalogueError::Shape { file, source });
        let zh = "1.json 的结构与其种类不符: 第 1 行第 2 列: 缺少 `days`";
        assert_eq!(said.zh, zh);
        assert!(
            said.en
                .ends_with(": missing field `days` at line 1 column 2")
        );
        assert_said(&FormFault::TooLarge { bytes: 99_999 });
    }
}
