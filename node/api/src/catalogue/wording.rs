//! What a broken rule of a schema is called. In Chinese it names the field by its title, which a form has in
//! Chinese alone; in English it is said of the place. Neither repeats what was filled in.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::fault::FieldFault;
use super::field::{Field, push_step};
use crate::said::Said;

/// Characters of an unknown member's name shown: whoever sent it knows it by its beginning.
const NAME_SHOWN_MAX: usize = 40;

/// The faults one error of the validator stands for.
pub(super) fn faults_of(error: &ValidationError<'_>, form: &Field) -> Vec<FieldFault> {
    let place = error.instance_path().as_str();
    let fault =
        |pointer: String, says: Said| FieldFault::new(pointer, error.kind().keyword(), says);
    match error.kind() {
        Kind::Required { property } => {
            let mut pointer = place.to_owned();
            push_step(&mut pointer, property.as_str().unwrap_or_default());
            let says = Said::new(format!("缺少{}", shown(form, &pointer)), "is missing");
            vec![fault(pointer, says)]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let each = unexpected.iter().map(|name| {
                let name: String = name.chars().take(NAME_SHOWN_MAX).collect();
                let mut pointer = place.to_owned();
                push_step(&mut pointer, &name);
                let says = Said::new(
                    format!("表单中没有“{name}”这一项"),
                    "is no member of the form",
                );
                fault(pointer, says)
            });
            each.collect()
        }
        kind => {
            let Said { zh, en } = words(kind);
            let says = Said::new(format!("{}{zh}", shown(form, place)), en);
            vec![fault(place.to_owned(), says)]
        }
    }
}

fn shown(form: &Field, pointer: &str) -> String {
    match form.at(pointer) {
        Some(field) => field.shown(),
        None => "此项".to_owned(),
    }
}

/// What a broken rule is called, said after the name of the field or of its place.
pub(crate) fn words(kind: &Kind) -> Said {
    match kind {
        Kind::Type { .. } => Said::new("的类型不对", "is of the wrong type"),
        Kind::Pattern { .. } | Kind::Format { .. } => {
            Said::new("格式不正确", "is not of the form it must have")
        }
        Kind::Enum { .. } | Kind::OneOfNotValid { .. } | Kind::AnyOf { .. } => {
            Said::new("不在可选范围内", "is none of the choices")
        }
        Kind::Constant { expected_value } if **expected_value == Value::Bool(true) => {
            Said::new("须勾选", "must be ticked")
        }
        Kind::Constant { .. } => Said::new("不是规定的值", "is not the value it must have"),
        Kind::UniqueItems => Said::new("有重复的内容", "has an entry twice"),
        Kind::FalseSchema => Said::new("不应填写", "must be left out"),
        kind => words_with_a_bound(kind),
    }
}

fn words_with_a_bound(kind: &Kind) -> Said {
    match kind {
        Kind::MinLength { limit } => Said::new(
            format!("不能少于 {limit} 个字"),
            format!("must have {limit} characters or more"),
        ),
        Kind::MaxLength { limit } => Said::new(
            format!("不能超过 {limit} 个字"),
            format!("must have {limit} characters or fewer"),
        ),
        Kind::MinItems { limit } => Said::new(
            format!("至少填 {limit} 条"),
            format!("must have {limit} entries or more"),
        ),
        Kind::MaxItems { limit } => Said::new(
            format!("最多填 {limit} 条"),
            format!("must have {limit} entries or fewer"),
        ),
        Kind::Minimum { limit } => Said::new(
            format!("不能小于 {limit}"),
            format!("must be {limit} or more"),
        ),
        Kind::Maximum { limit } => Said::new(
            format!("不能大于 {limit}"),
            format!("must be {limit} or less"),
        ),
        Kind::ExclusiveMinimum { limit } => Said::new(
            format!("必须大于 {limit}"),
            format!("must be more than {limit}"),
        ),
        Kind::ExclusiveMaximum { limit } => Said::new(
            format!("必须小于 {limit}"),
            format!("must be less than {limit}"),
        ),
        Kind::MultipleOf { multiple_of } => Said::new(
            format!("必须是 {multiple_of} 的倍数"),
            format!("must be a multiple of {multiple_of}"),
        ),
        _ => Said::new("不符合要求", "is not as it must be"),
    }
}
