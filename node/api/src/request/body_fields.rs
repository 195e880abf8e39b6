//! Taking a JSON object apart by an exact list of members. What is missing, of another kind or not
//! on the list is named by its place.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use tongban_trust::Json;
use tongban_types::{Code, limits};

use crate::catalogue::FieldFault;
use crate::limits::WORDS_CHARS_MAX;
use crate::problem::Problem;
use crate::said::Said;

/// The members of an object not yet taken.
pub(crate) struct BodyFields {
    pointer: String,
    members: BTreeMap<String, Json>,
}

impl BodyFields {
    /// The members of a value that stands at `pointer`.
    pub(crate) fn of(value: Json, pointer: &str) -> Result<Self, Problem> {
        match value {
            Json::Object(members) => Ok(Self {
                pointer: pointer.to_owned(),
                members,
            }),
            _ => Err(shape(pointer, Said::new("应为对象", "must be an object"))),
        }
    }

    /// An object without members.
    pub(crate) fn empty() -> Self {
        Self {
            pointer: String::new(),
            members: BTreeMap::new(),
        }
    }

    /// A member that may be left out.
    pub(crate) fn optional(&mut self, name: &str) -> Option<Json> {
        self.members.remove(name)
    }

    /// A member that must be there.
    pub(crate) fn take(&mut self, name: &str) -> Result<Json, Problem> {
        self.optional(name).ok_or_else(|| missing(&self.at(name)))
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Self, Problem> {
        let pointer = self.at(name);
        Self::of(self.take(name)?, &pointer)
    }

    /// A text that may be left out.
    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.optional(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => {
                let says = Said::new("应为文字", "must be a text");
                Err(shape(&self.at(name), says))
            }
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, Problem> {
        self.optional_text(name)?
            .ok_or_else(|| missing(&self.at(name)))
    }

    /// Words of a person: not blank, of bounded length.
    pub(crate) fn words(&mut self, name: &str) -> Result<String, Problem> {
        let words = self.text(name)?;
        self.check_words(name, words)
    }

    /// Words of a person that may be left out.
    pub(crate) fn optional_words(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.optional_text(name)?
            .map(|words| self.check_words(name, words))
            .transpose()
    }

    fn check_words(&self, name: &str, words: String) -> Result<String, Problem> {
        if words.len() > limits::TEXT_BYTES_MAX {
            let says = Said::new(
                format!("最多 {} 字节", limits::TEXT_BYTES_MAX),
                format!("must have {} bytes or less", limits::TEXT_BYTES_MAX),
            );
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TOO_LARGE);
            return Err(problem.at(&self.at(name), "size", says));
        }
        if words.chars().count() > WORDS_CHARS_MAX {
            let says = Said::new(
                format!("最多 {WORDS_CHARS_MAX} 字"),
                format!("must have {WORDS_CHARS_MAX} characters or fewer"),
            );
            return Err(shape(&self.at(name), says));
        }
        let says = |letter: char| !letter.is_whitespace() && !letter.is_control();
        if !words.chars().any(says) {
            let says = Said::new("不能为空", "must not be empty");
            return Err(shape(&self.at(name), says));
        }
        Ok(words)
    }

    /// A number that counts from 0, if it is there.
    pub(crate) fn optional_count(&mut self, name: &str) -> Result<Option<u32>, Problem> {
        let number = match self.optional(name) {
            None => return Ok(None),
            Some(Json::Integer(number)) => number,
            Some(_) => {
                let says = Said::new("应为整数", "must be an integer");
                return Err(shape(&self.at(name), says));
            }
        };
        let is_outside = |_| {
            let says = Said::new(
                "应为 0 到 4294967295 的整数",
                "must be an integer from 0 to 4294967295",
            );
            shape(&self.at(name), says)
        };
        u32::try_from(number).map(Some).map_err(is_outside)
    }

    /// A switch; `default` where it is left out.
    pub(crate) fn switch(&mut self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.optional(name) {
            None => Ok(default),
            Some(Json::Boolean(value)) => Ok(value),
            Some(_) => {
                let says = Said::new("应为 true 或 false", "must be true or false");
                Err(shape(&self.at(name), says))
            }
        }
    }

    /// Everything not yet taken, for what is read as a whole elsewhere.
    pub(crate) fn into_json(self) -> Json {
        Json::Object(self.members)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Problem> {
        let left: Vec<FieldFault> = self
            .members
            .keys()
            .take(LEFT_SHOWN_MAX)
            .map(|name| {
                let says = Said::new("没有这一项", "is not known here");
                FieldFault::new(self.at(name), "additionalProperties", says)
            })
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(Problem::new(StatusCode::BAD_REQUEST, Code::BODY_SHAPE).errors(left))
        }
    }

    /// Where a member stands.
    pub(crate) fn at(&self, name: &str) -> String {
        let name: String = name.chars().take(40).collect();
        let name = name.replace('~', "~0").replace('/', "~1");
        format!("{}/{name}", self.pointer)
    }
}

/// Unknown members listed: one mistyped name is the usual case.
const LEFT_SHOWN_MAX: usize = 8;

/// A place of the body that is not as it should be.
pub(crate) fn shape(pointer: &str, says: Said) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, Code::BODY_SHAPE).at(pointer, "shape", says)
}

/// A place of the body where nothing is and something must be.
pub(crate) fn missing(pointer: &str) -> Problem {
    shape(pointer, Said::new("缺少此项", "is missing"))
}
