//! What a broken rule of a schema is called in Chinese. Names the field by its title, and never
//! what was filled in.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::fault::FieldFault;
use super::field::{Field, push_step};

/// Characters of an unknown member's name shown: whoever sent it knows it by its beginning.
const NAME_SHOWN_MAX: usize = 40;

/// The faults one error of the validator stands for.
pub(super) fn faults_of(error: &ValidationError<'_>, form: &Field) -> Vec<FieldFault> {
    let place = error.instance_path().as_str();
    let fault = |pointer: String, message: String| FieldFault {
        pointer,
        keyword: error.kind().keyword().to_owned(),
        message,
    };
    match error.kind() {
        Kind::Required { property } => {
            let mut pointer = place.to_owned();
            push_step(&mut pointer, property.as_str().unwrap_or_default());
            let message = format!("缺少{}", shown(form, &pointer));
            vec![fault(pointer, message)]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let each = unexpected.iter().map(|name| {
                let name: String = name.chars().take(NAME_SHOWN_MAX).collect();
                let mut pointer = place.to_owned();
                push_step(&mut pointer, &name);
                fault(pointer, format!("表单中没有“{name}”这一项"))
            });
            each.collect()
        }
        kind => {
            let message = format!("{}{}", shown(form, place), words(kind));
            vec![fault(place.to_owned(), message)]
        }
    }
}

fn shown(form: &Field, pointer: &str) -> String {
    match form.at(pointer) {
        Some(field) => field.shown(),
        None => "此项".to_owned(),
    }
}

/// What a broken rule is called, said after the name of the field.
pub(crate) fn words(kind: &Kind) -> String {
    match kind {
        Kind::Type { .. } => "的类型不对".to_owned(),
        Kind::Pattern { .. } | Kind::Format { .. } => "格式不正确".to_owned(),
        Kind::Enum { .. } | Kind::OneOfNotValid { .. } | Kind::AnyOf { .. } => {
            "不在可选范围内".to_owned()
        }
        Kind::Constant { expected_value } if **expected_value == Value::Bool(true) => {
            "须勾选".to_owned()
        }
        Kind::Constant { .. } => "不是规定的值".to_owned(),
        Kind::MinLength { limit } => format!("不能少于 {limit} 个字"),
        Kind::MaxLength { limit } => format!("不能超过 {limit} 个字"),
        Kind::MinItems { limit } => format!("至少填 {limit} 条"),
        Kind::MaxItems { limit } => format!("最多填 {limit} 条"),
        Kind::Minimum { limit } => format!("不能小于 {limit}"),
        Kind::Maximum { limit } => format!("不能大于 {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("必须大于 {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("必须小于 {limit}"),
        Kind::MultipleOf { multiple_of } => format!("必须是 {multiple_of} 的倍数"),
        Kind::UniqueItems => "有重复的内容".to_owned(),
        Kind::FalseSchema => "不应填写".to_owned(),
        _ => "不符合要求".to_owned(),
    }
}
