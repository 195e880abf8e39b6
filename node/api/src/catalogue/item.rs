//! One version of an item, loaded and checked: its terms, its form with the schema compiled once,
//! and the document it produces. Reading a filled form is the intake path's own cost, so the text
//! is read once and what is right is not looked at twice.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;
use tongban_runtime::{ClaimTemplate, DocumentTemplate};
use tongban_trust::{Json, compact, read_strict};
use tongban_types::{Division, ItemTerms, ItemVersion, limits, sha256};

use super::fault::{CatalogueError, FieldFault, FormFault};
use super::field::{Field, FieldKind};
use super::item_file::{Guide, ItemFile, Names, ResultFile};
use super::wording;
use crate::said::Said;

/// An item's file: the longest of the starter catalogue has 17 KiB, a joint one may be ten of them.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// Faults listed for one form: more than a person corrects before trying again.
const FAULTS_MAX: usize = 64;

/// One version of an item.
pub struct Item {
    /// What its cases are bound to.
    pub terms: ItemTerms,
    /// Its name.
    pub name: Names,
    /// What an applicant is told.
    pub guide: Guide,
    /// The document a grant produces.
    pub document: Option<DocumentTemplate>,
    file: Vec<u8>,
    validator: Validator,
    fields: Field,
    authority: String,
    subject_name: String,
    subject_id: String,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Item({})", self.terms.item)
    }
}

/// A filled form that keeps every rule of its item.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedForm {
    /// JSON text without blanks, members sorted: one form has one text.
    pub bytes: Vec<u8>,
    /// The division whose city decides.
    pub authority: Division,
    /// Identity number of the person, or credit code of the body, the case is about.
    pub subject: String,
}

impl std::fmt::Debug for CheckedForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckedForm({} bytes)", self.bytes.len())
    }
}

impl Item {
    /// Loads an item from its file; `name` is its path, for messages.
    pub fn load(name: &str, bytes: &[u8]) -> Result<Self, CatalogueError> {
        let file = name.to_owned();
        if let Err(source) = read_strict(bytes, FILE_BYTES_MAX) {
            return Err(CatalogueError::NotStrict { file, source });
        }
        match serde_json::from_slice::<ItemFile>(bytes) {
            Err(source) => Err(CatalogueError::Shape { file, source }),
            Ok(content) => {
                Self::of(content, bytes).map_err(|rule| CatalogueError::Rule { file, rule })
            }
        }
    }

    fn of(content: ItemFile, bytes: &[u8]) -> Result<Self, Said> {
        let item = ItemVersion {
            code: content.code,
            version: content.version,
        };
        check_terms(&content)?;
        let fields = Field::of_schema(&content.form)?;
        let authority = keyword(&content.form, "/x-authority")?;
        let subject_name = keyword(&content.form, "/x-subject/name")?;
        let subject_id = keyword(&content.form, "/x-subject/id_number")?;
        expect_kind(&fields, &authority, &[FieldKind::Division])?;
        let subjects = [FieldKind::ResidentNumber, FieldKind::CreditNumber];
        expect_kind(&fields, &subject_id, &subjects)?;
        if !fields.is_always_there(&subject_name) {
            return Err(Said::new(
                format!("{subject_name} 不是表单的必填项"),
                format!("{subject_name} is not a required field of the form"),
            ));
        }
        let validator = compile(&content.form)?;
        let document = content
            .result
            .map(|result| template(item, result, &fields))
            .transpose()?;
        let terms = ItemTerms {
            item,
            mode: content.handling_mode,
            notice_days: content.notice_days,
            promise_days: content.promise_days,
            statutory_days: content.statutory_days,
            document_type: document.as_ref().map(|document| document.vct.clone()),
            file: sha256(bytes),
        };
        Ok(Self {
            terms,
            name: content.name,
            guide: Guide {
                item_type: content.item_type,
                reach: content.reach,
                service_object: content.service_object,
                visits_max: content.visits_max,
                fee: content.fee,
                law_basis: content.law_basis,
                conditions: content.conditions,
                materials: content.materials,
            },
            document,
            file: bytes.to_vec(),
            validator,
            fields,
            authority,
            subject_name,
            subject_id,
        })
    }

    /// Its file as it was published.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// JSON Pointer into the form to the division whose city decides.
    pub fn authority_pointer(&self) -> &str {
        &self.authority
    }

    /// JSON Pointer into the form to the name of whom the case is about.
    pub fn subject_name_pointer(&self) -> &str {
        &self.subject_name
    }

    /// JSON Pointer into the form to the number of whom the case is about.
    pub fn subject_pointer(&self) -> &str {
        &self.subject_id
    }

    /// Reads a filled form from text of at most [`limits::FORM_BYTES_MAX`] bytes.
    pub fn read_form(&self, bytes: &[u8]) -> Result<CheckedForm, FormFault> {
        if bytes.len() > limits::FORM_BYTES_MAX {
            return Err(FormFault::TooLarge { bytes: bytes.len() });
        }
        let form = read_strict(bytes, limits::FORM_BYTES_MAX).map_err(FormFault::NotStrict)?;
        self.check_form(form)
    }

    /// Checks a form that was read strictly already, as a part of something larger.
    pub fn check_form(&self, form: Json) -> Result<CheckedForm, FormFault> {
        let bytes = compact(&form).into_bytes();
        if bytes.len() > limits::FORM_BYTES_MAX {
            return Err(FormFault::TooLarge { bytes: bytes.len() });
        }
        let form = value_of(form);
        if !self.validator.is_valid(&form) {
            let errors = self.validator.iter_errors(&form);
            let faults = errors.flat_map(|error| wording::faults_of(&error, &self.fields));
            return Err(FormFault::Invalid(faults.take(FAULTS_MAX).collect()));
        }
        let mut faults = Vec::new();
        self.fields.check(&form, &mut String::new(), &mut faults);
        let text = |pointer: &str| form.pointer(pointer).and_then(Value::as_str);
        let authority = text(&self.authority).and_then(|division| division.parse().ok());
        match (authority, text(&self.subject_id)) {
            (Some(authority), Some(subject)) if faults.is_empty() => Ok(CheckedForm {
                authority,
                subject: subject.to_owned(),
                bytes,
            }),
            (None, _) if faults.is_empty() => Err(missing(&self.authority, "authority")),
            (_, None) if faults.is_empty() => Err(missing(&self.subject_id, "subject")),
            _ => {
                faults.truncate(FAULTS_MAX);
                Err(FormFault::Invalid(faults))
            }
        }
    }
}

fn missing(pointer: &str, keyword: &str) -> FormFault {
    let says = Said::new("此项必须填写", "must be filled in");
    FormFault::Invalid(vec![FieldFault::new(pointer, keyword, says)])
}

fn check_terms(content: &ItemFile) -> Result<(), Said> {
    let promise = content.promise_days;
    match content.statutory_days {
        _ if content.version == 0 => Err(Said::new("版本从 1 数起", "versions count from 1")),
        Some(days) if promise > days => Err(Said::new(
            format!("promise_days {promise} 多于 statutory_days {days}"),
            format!("promise_days {promise} is more than statutory_days {days}"),
        )),
        _ if content.notice_days == 0 => Err(Said::new(
            "notice_days 至少为 1",
            "notice_days is at least 1",
        )),
        _ if content.materials.iter().enumerate().any(|(at, material)| {
            let before = &content.materials[..at];
            before.iter().any(|other| other.code == material.code)
        }) =>
        {
            Err(Said::new(
                "有两项材料的编码相同",
                "a material's code stands twice",
            ))
        }
        _ => Ok(()),
    }
}

fn keyword(form: &Value, pointer: &str) -> Result<String, Said> {
    if let Some(text) = form.pointer(pointer).and_then(Value::as_str) {
        return Ok(text.to_owned());
    }
    let name = pointer.trim_start_matches('/');
    Err(Said::new(
        format!("表单没有 {name}"),
        format!("the form has no {name}"),
    ))
}

fn expect_kind(fields: &Field, pointer: &str, kinds: &[FieldKind]) -> Result<(), Said> {
    let kind = fields.at(pointer).and_then(|field| field.kind);
    if kind.is_some_and(|kind| kinds.contains(&kind)) && fields.is_always_there(pointer) {
        Ok(())
    } else {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.definition()).collect();
        let names = names.join(" ");
        Err(Said::new(
            format!("{pointer} 不是 $defs 中这些种类的必填项: {names}"),
            format!("{pointer} is not a required field of one of these kinds of $defs: {names}"),
        ))
    }
}

/// Patterns run on the engine whose time is linear in the text: no form can stall a desk.
fn compile(form: &Value) -> Result<Validator, Said> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(false)
        .offline()
        .build(form)
        .map_err(|error| {
            Said::new(
                format!("表单的 schema 无法编译: {error}"),
                format!("the form's schema does not compile: {error}"),
            )
        })
}

fn template(
    item: ItemVersion,
    result: ResultFile,
    fields: &Field,
) -> Result<DocumentTemplate, Said> {
    let expected = format!("urn:tongban:vct:{}:", result.kind);
    if result.vct.len() > 128 || !result.vct.starts_with(&expected) {
        return Err(Said::new(
            format!("vct 不是 {expected}<version>, 或超过 128 字节"),
            format!("vct is not {expected}<version> of at most 128 bytes"),
        ));
    }
    for (at, claim) in result.claims.iter().enumerate() {
        if fields.at(&claim.from).is_none() {
            return Err(Said::new(
                format!("claim {} 指向不存在的项", claim.name),
                format!("claim {} leads nowhere", claim.name),
            ));
        }
        if result.claims[..at]
            .iter()
            .any(|known| known.name == claim.name)
        {
            return Err(Said::new(
                format!("claim {} 出现两次", claim.name),
                format!("claim {} stands twice", claim.name),
            ));
        }
    }
    let claims = result.claims.into_iter().map(|claim| ClaimTemplate {
        name: claim.name,
        pointer: claim.from,
        disclosable: claim.disclosable,
    });
    Ok(DocumentTemplate {
        item,
        vct: result.vct,
        name_zh: result.name.zh,
        claims: claims.collect(),
    })
}

/// The same value as the validator reads it; texts move, nothing is copied.
fn value_of(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Boolean(value) => Value::Bool(value),
        Json::Integer(number) => Value::from(number),
        Json::Text(text) => Value::String(text),
        Json::List(elements) => Value::Array(elements.into_iter().map(value_of).collect()),
        Json::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, value_of(value)))
                .collect(),
        ),
    }
}
