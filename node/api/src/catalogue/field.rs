//! The fields of a form as a tree: their titles for messages, and the places where the node checks
//! what a pattern cannot say. It follows `properties`, `items` and `$ref` into `$defs`; fields that
//! other keywords add have no title and no check of ours.

use std::collections::BTreeMap;

use serde_json::Value;
use tongban_types::{CivilDay, CreditCode, Division, ResidentId};

use super::fault::FieldFault;
use crate::said::Said;

/// Depth of a form: the strict reader takes no text nested deeper.
const DEPTH_MAX: usize = 16;

/// What a definition of this name in `$defs` means beyond its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    ResidentNumber,
    CreditNumber,
    Date,
    Division,
}

impl FieldKind {
    const ALL: [Self; 4] = [
        Self::ResidentNumber,
        Self::CreditNumber,
        Self::Date,
        Self::Division,
    ];

    /// The name of its definition in `$defs`.
    pub(super) const fn definition(self) -> &'static str {
        match self {
            Self::ResidentNumber => "id_number",
            Self::CreditNumber => "credit_code",
            Self::Date => "date",
            Self::Division => "division",
        }
    }
}

/// A field, and those within it.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub title: Option<String>,
    pub kind: Option<FieldKind>,
    pub required: bool,
    members: BTreeMap<String, Self>,
    element: Option<Box<Self>>,
}

impl Field {
    /// The tree of a form's schema.
    pub(super) fn of_schema(schema: &Value) -> Result<Self, Said> {
        Self::read(schema, schema, 1)
    }

    fn read(root: &Value, schema: &Value, depth: usize) -> Result<Self, Said> {
        if depth > DEPTH_MAX {
            return Err(Said::new(
                format!("表单嵌套超过 {DEPTH_MAX} 层"),
                format!("the form nests more than {DEPTH_MAX} deep"),
            ));
        }
        let mut field = match schema.get("$ref").and_then(Value::as_str) {
            None => Self::default(),
            Some(reference) => Self::read_definition(root, reference, depth)?,
        };
        if let Some(title) = schema.get("title").and_then(Value::as_str) {
            field.title = Some(title.to_owned());
        }
        if let Some(element) = schema.get("items") {
            field.element = Some(Box::new(Self::read(root, element, depth + 1)?));
        }
        if let Some(Value::Object(properties)) = schema.get("properties") {
            let required = schema.get("required").and_then(Value::as_array);
            for (name, property) in properties {
                let mut member = Self::read(root, property, depth + 1)?;
                member.required =
                    required.is_some_and(|names| names.iter().any(|known| known == name));
                field.members.insert(name.clone(), member);
            }
        }
        Ok(field)
    }

    fn read_definition(root: &Value, reference: &str, depth: usize) -> Result<Self, Said> {
        let found = reference
            .strip_prefix("#/$defs/")
            .and_then(|name| Some((name, root.get("$defs")?.get(name)?)));
        let Some((name, definition)) = found else {
            return Err(Said::new(
                format!("{reference} 不指向本文件的 $defs"),
                format!("{reference} does not lead to $defs of the file"),
            ));
        };
        let mut field = Self::read(root, definition, depth + 1)?;
        let mut kinds = FieldKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.definition() == name);
        field.kind = kind.or(field.kind);
        Ok(field)
    }

    /// The field a JSON Pointer leads to; an index leads to the list's element.
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        self.path(pointer).pop().flatten()
    }

    /// Whether a valid form always has something there.
    pub(super) fn is_always_there(&self, pointer: &str) -> bool {
        let path = self.path(pointer);
        path.iter()
            .skip(1)
            .all(|field| field.is_some_and(|field| field.required))
    }

    /// The fields on the way of a pointer, this one first.
    fn path<'s>(&'s self, pointer: &str) -> Vec<Option<&'s Self>> {
        let mut path = vec![Some(self)];
        let mut here = Some(self);
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            here = here.and_then(|field| field.members.get(&name).or(field.element.as_deref()));
            path.push(here);
        }
        path
    }

    /// Adds what is wrong with a value that its schema found right.
    pub(super) fn check(&self, value: &Value, pointer: &mut String, faults: &mut Vec<FieldFault>) {
        match value {
            Value::String(text) => self.check_text(text, pointer, faults),
            Value::Array(elements) => {
                if let Some(element) = &self.element {
                    for (index, value) in elements.iter().enumerate() {
                        below(pointer, &index.to_string(), |pointer| {
                            element.check(value, pointer, faults);
                        });
                    }
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    if let Some(field) = self.members.get(name) {
                        below(pointer, name, |pointer| {
                            field.check(value, pointer, faults);
                        });
                    }
                }
                self.check_birth_date(value, pointer, faults);
            }
            _ => {}
        }
    }

    fn check_text(&self, text: &str, pointer: &str, faults: &mut Vec<FieldFault>) {
        let (is_right, keyword, zh, en) = match self.kind {
            None => return,
            Some(FieldKind::ResidentNumber) => (
                text.parse::<ResidentId>().is_ok(),
                "resident-id",
                "不是有效的公民身份号码: 校验码、出生日期或省份代码不符, 可能录错一位",
                "is no valid resident identity number: its check character, birth date or \
                 province does not fit; perhaps one character was mistyped",
            ),
            Some(FieldKind::CreditNumber) => (
                text.parse::<CreditCode>().is_ok(),
                "credit-code",
                "不是有效的统一社会信用代码: 校验码不符, 可能录错一位",
                "is no valid unified social credit code: its check character does not fit; \
                 perhaps one character was mistyped",
            ),
            Some(FieldKind::Date) => (
                day(text).is_some(),
                "date",
                "不是存在的日期",
                "is no day of the calendar",
            ),
            Some(FieldKind::Division) => (
                text.parse::<Division>().is_ok(),
                "division",
                "不是有效的行政区划代码",
                "is no valid division code",
            ),
        };
        if !is_right {
            let says = Said::new(format!("{}{zh}", self.shown()), en);
            faults.push(FieldFault::new(pointer, keyword, says));
        }
    }

    /// A person's birth date is also in their identity number.
    fn check_birth_date(&self, value: &Value, pointer: &str, faults: &mut Vec<FieldFault>) {
        let text = |name: &str, kind: FieldKind| {
            let is_of_kind = self.members.get(name)?.kind == Some(kind);
            value.get(name)?.as_str().filter(|_| is_of_kind)
        };
        let number = text("id_number", FieldKind::ResidentNumber)
            .and_then(|number| number.parse::<ResidentId>().ok());
        let born = text("birth_date", FieldKind::Date).and_then(day);
        if let (Some(number), Some(born)) = (number, born)
            && number.birth_day() != born
        {
            let says = Said::new(
                "“出生日期”与公民身份号码不一致",
                "differs from the birth date in the identity number",
            );
            let place = format!("{pointer}/birth_date");
            faults.push(FieldFault::new(place, "birth-date", says));
        }
    }

    /// Its title as messages quote it.
    pub(super) fn shown(&self) -> String {
        match &self.title {
            Some(title) => format!("“{title}”"),
            None => "此项".to_owned(),
        }
    }
}

/// A day written 2026-03-02, if there is one.
fn day(text: &str) -> Option<CivilDay> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    CivilDay::from_ymd(year, month, parts.next()?.parse().ok()?)
}

fn below(pointer: &mut String, name: &str, visit: impl FnOnce(&mut String)) {
    let length = pointer.len();
    push_step(pointer, name);
    visit(pointer);
    pointer.truncate(length);
}

/// Adds one step to a JSON Pointer (RFC 6901 §3).
pub(super) fn push_step(pointer: &mut String, name: &str) {
    pointer.push('/');
    for letter in name.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
