//! What is wrong with a filled form, place by place, and what is wrong with a file of the catalogue.
//! Messages name fields, never what was filled in. In both languages they are in `says`.

use serde::Serialize;
use thiserror::Error;
use tongban_trust::JsonError;
use tongban_types::{Code, ItemVersion, limits};
use utoipa::ToSchema;

use crate::said::Said;

/// One thing wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// JSON Pointer (RFC 6901) into the form; of a missing member, where it should stand.
    pub pointer: String,
    /// The keyword of JSON Schema it breaks, or the name of a check of ours: `resident-id`,
    /// `credit-code`, `date`, `division`, `birth-date`, `authority`, `subject`.
    pub keyword: String,
    /// What to correct, in Chinese.
    pub message: String,
    /// The same in English, said of the place.
    pub message_en: String,
}

impl FieldFault {
    /// What is wrong at a place.
    pub(crate) fn new(pointer: impl Into<String>, keyword: &str, says: Said) -> Self {
        Self {
            pointer: pointer.into(),
            keyword: keyword.to_owned(),
            message: says.zh,
            message_en: says.en,
        }
    }
}

/// Why a filled form is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FormFault {
    /// Longer than a form may be.
    #[error(
        "the form has {bytes} bytes, at most {} are taken",
        limits::FORM_BYTES_MAX
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not strict JSON.
    #[error("the form is not strict JSON")]
    NotStrict(#[source] JsonError),
    /// It breaks the item's rules.
    #[error("the form breaks {} rules of its item", .0.len())]
    Invalid(Vec<FieldFault>),
}

impl FormFault {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::TOO_LARGE,
            Self::NotStrict(error) => error.code(),
            Self::Invalid(_) => Code::FORM_INVALID,
        }
    }
}

/// Why a catalogue cannot be used.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// A file or folder does not open.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// There are more files than a catalogue may hold.
    #[error("the catalogue holds more than {max} files")]
    TooMany {
        /// The bound.
        max: usize,
    },
    /// A file is not strict JSON, or too large.
    #[error("{file} is not strict JSON")]
    NotStrict {
        /// Which.
        file: String,
        /// Where and why.
        #[source]
        source: JsonError,
    },
    /// A file has not the members it must have.
    #[error("{file} has not the shape of its kind")]
    Shape {
        /// Which.
        file: String,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A file breaks a rule.
    #[error("{file}: {}", rule.en)]
    Rule {
        /// Which.
        file: String,
        /// What is wrong.
        rule: Said,
    },
    /// Two files say what one item version is.
    #[error("item {0} stands twice")]
    Twice(ItemVersion),
    /// There is no calendar file.
    #[error("{folder} holds no calendar")]
    NoCalendar {
        /// Where one was looked for.
        folder: String,
    },
}

impl CatalogueError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        Code::ITEM_FILE_UNSOUND
    }
}
