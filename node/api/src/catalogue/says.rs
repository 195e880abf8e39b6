//! What is wrong with a file of the catalogue or with a form, for a person, in both languages. What caused
//! it is said by whoever shows the cause too.

use tongban_types::limits::FORM_BYTES_MAX;

use super::fault::{CatalogueError, FormFault};
use crate::said::Said;

impl CatalogueError {
    /// What it says, less its cause.
    pub fn says(&self) -> Said {
        let zh = match self {
            Self::Unreadable { path, .. } => format!("{path} 无法读取"),
            Self::TooMany { max } => format!("事项目录的文件超过 {max} 个"),
            Self::NotStrict { file, .. } => format!("{file} 不是严格的 JSON"),
            Self::Shape { file, .. } => format!("{file} 的结构与其种类不符"),
            Self::Rule { file, rule } => format!("{file}: {}", rule.zh),
            Self::Twice(item) => format!("事项 {item} 出现两次"),
            Self::NoCalendar { folder } => format!("{folder} 里没有日历"),
        };
        Said::new(zh, self.to_string())
    }
}

impl FormFault {
    /// What it says, less its cause and less the places that are wrong.
    pub fn says(&self) -> Said {
        let zh = match self {
            Self::TooLarge { bytes } => {
                format!("表单有 {bytes} 字节, 最多 {FORM_BYTES_MAX} 字节")
            }
            Self::NotStrict(_) => "表单不是严格的 JSON".to_owned(),
            Self::Invalid(faults) => format!("表单有 {} 处需要改正", faults.len()),
        };
        Said::new(zh, self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use serde_json::{Value, json};
    use tongban_trust::{JsonError, JsonFault};
    use tongban_types::ItemVersion;

    use super::*;
    use crate::catalogue::Item;
    use crate::said::tests::assert_said;

    const MIGRATION_FILE: &str =
        include_str!("../../../../protocol/items/national/000109900001/1.json");

    fn not_strict() -> JsonError {
        JsonError {
            offset: 7,
            fault: JsonFault::NotUtf8,
        }
    }

    #[test]
    fn every_error_of_the_catalogue_is_said_in_both_languages() {
        let file = || "000109900001/1.json".to_owned();
        let item = ItemVersion {
            code: "000109900001".parse().unwrap(),
            version: 1,
        };
        for error in [
            CatalogueError::Unreadable {
                path: "items".to_owned(),
                source: io::Error::other("the disk is gone"),
            },
            CatalogueError::TooMany { max: 9 },
            CatalogueError::NotStrict {
                file: file(),
                source: not_strict(),
            },
            CatalogueError::Shape {
                file: file(),
                source: serde_json::from_str::<u8>("[]").unwrap_err(),
            },
            CatalogueError::Rule {
                file: file(),
                rule: Said::new("版本从 1 数起", "versions count from 1"),
            },
            CatalogueError::Twice(item),
            CatalogueError::NoCalendar {
                folder: "calendar".to_owned(),
            },
        ] {
            assert_said(&error.says());
        }
    }

    #[test]
    fn every_fault_of_a_form_is_said_in_both_languages() {
        for fault in [
            FormFault::TooLarge { bytes: 99_999 },
            FormFault::NotStrict(not_strict()),
            FormFault::Invalid(Vec::new()),
        ] {
            assert_said(&fault.says());
        }
    }

    #[test]
    fn every_rule_a_file_breaks_is_said_in_both_languages() {
        let whole: Value = serde_json::from_str(MIGRATION_FILE).unwrap();
        let material = &whole["materials"][0];
        let claim = &whole["result"]["claims"][0];
        let changes: [(&str, Value); 13] = [
            ("/version", json!(0)),
            ("/promise_days", json!(21)),
            ("/notice_days", json!(0)),
            ("/materials", json!([material, material])),
            ("/form/x-authority", json!("/move_in/street")),
            ("/form/x-authority", json!(1)),
            ("/form/x-subject/name", json!("/nobody")),
            ("/form/$defs/remark", json!({"$ref": "#/$defs/remark"})),
            ("/form/properties/remark", json!({"$ref": "elsewhere"})),
            ("/form/$defs/division/pattern", json!("(")),
            ("/result/vct", json!("urn:other")),
            ("/result/claims/0/from", json!("/applicant/nothing")),
            ("/result/claims", json!([claim, claim])),
        ];
        let mut said_before = Vec::new();
        for (pointer, value) in changes {
            let mut file = whole.clone();
            *file.pointer_mut(pointer).unwrap() = value;
            let refused = Item::load("test", file.to_string().as_bytes());
            let error = refused.expect_err(pointer);
            assert!(matches!(error, CatalogueError::Rule { .. }), "{error:?}");
            let said = error.says();
            assert_said(&said);
            assert!(!said_before.contains(&said), "{said:?}");
            said_before.push(said);
        }
    }
}
