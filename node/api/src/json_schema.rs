//! A JSON Schema (2020-12) to check a value against, place by place, as forms are checked; here for whoever
//! has a schema of their own. What a broken rule is called names the place, never what stands there.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::catalogue::words;
use crate::limits::SCHEMA_FAULTS_MAX;

/// A schema that compiled.
#[derive(Debug)]
pub struct JsonSchema {
    validator: Validator,
}

/// One place of a value that is not by its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFault {
    /// JSON Pointer (RFC 6901) into the value; empty for the whole. A missing member is missing from here.
    pub pointer: String,
    /// The keyword of JSON Schema it breaks.
    pub keyword: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl JsonSchema {
    /// Compiles one, whose references lead nowhere but into itself. Patterns run on the engine whose time is
    /// linear in the text; `format` says what is meant and is not checked.
    ///
    /// # Errors
    /// Why it does not compile, in English.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(false)
            .offline()
            .build(schema)
            .map_err(|error| error.to_string())?;
        Ok(Self { validator })
    }

    /// Every place that is wrong, the first `SCHEMA_FAULTS_MAX` of them; none for a value that is by it.
    pub fn faults(&self, value: &Value) -> Vec<SchemaFault> {
        let faults = self.validator.iter_errors(value).take(SCHEMA_FAULTS_MAX);
        faults.map(|error| SchemaFault::of(&error)).collect()
    }
}

impl SchemaFault {
    fn of(error: &ValidationError<'_>) -> Self {
        Self {
            pointer: error.instance_path().as_str().to_owned(),
            keyword: error.kind().keyword().to_owned(),
            zh: chinese(error.kind()),
            en: error.masked().to_string(),
        }
    }
}

fn chinese(kind: &Kind) -> String {
    match kind {
        Kind::Required { property } => {
            format!("缺少 {}", property.as_str().unwrap_or_default())
        }
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "有不认识的成员".to_owned()
        }
        kind => format!("此处{}", words(kind).zh),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_failing_place_is_named_and_nothing_of_the_value_is_said() {
        let schema = JsonSchema::compile(&json!({
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "ages": {"items": {"type": "integer"}}},
        }))
        .unwrap();
        assert_eq!(schema.faults(&json!({"name": "x", "ages": [1]})), []);
        let faults = schema.faults(&json!({"ages": [1, "forty-two"]}));
        let places: Vec<(&str, &str)> = faults
            .iter()
            .map(|fault| (&*fault.pointer, &*fault.keyword))
            .collect();
        assert_eq!(places, [("", "required"), ("/ages/1", "type")]);
        assert_eq!(faults[0].zh, "缺少 name");
        assert_eq!(faults[1].zh, "此处的类型不对");
        assert!(!faults[1].en.contains("forty-two"), "{}", faults[1].en);
    }

    #[test]
    fn a_value_that_is_wrong_everywhere_is_told_of_up_to_a_bound() {
        let schema = JsonSchema::compile(&json!({"items": {"type": "string"}})).unwrap();
        let many = Value::from(vec![7; SCHEMA_FAULTS_MAX + 9]);
        assert_eq!(schema.faults(&many).len(), SCHEMA_FAULTS_MAX);
    }

    #[test]
    fn what_is_no_schema_does_not_compile() {
        assert!(JsonSchema::compile(&json!({"type": "thing"})).is_err());
        assert!(JsonSchema::compile(&json!({"$ref": "#/$defs/absent"})).is_err());
        assert!(JsonSchema::compile(&json!({"$ref": "https://example.org/x"})).is_err());
    }
}
