//! Taking an object apart by an exact list of members: what is missing, of another kind, or not on
//! the list is an error that names its place.

use std::collections::BTreeMap;

use super::shape::{JsonKind, ShapeError, ShapeProblem};
use super::value::Json;

/// The members of an object not yet taken.
#[derive(Debug)]
pub struct Fields {
    place: String,
    members: BTreeMap<String, Json>,
}

impl Fields {
    /// The members of `value`, which must be an object.
    pub fn of(value: Json, place: impl Into<String>) -> Result<Self, ShapeError> {
        let place = place.into();
        match value {
            Json::Object(members) => Ok(Self { place, members }),
            other => Err(wrong_kind(place, JsonKind::Object, &other)),
        }
    }

    /// Where this object stands.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The place of a member.
    pub fn place_of(&self, name: &str) -> String {
        format!("{}.{}", self.place, shown(name))
    }

    /// Takes a member that must be there.
    pub fn take(&mut self, name: &str) -> Result<Json, ShapeError> {
        self.members
            .remove(name)
            .ok_or_else(|| ShapeError::new(self.place_of(name), ShapeProblem::Missing))
    }

    /// Takes a string.
    pub fn text(&mut self, name: &str) -> Result<String, ShapeError> {
        match self.take(name)? {
            Json::Text(text) => Ok(text),
            other => Err(wrong_kind(self.place_of(name), JsonKind::Text, &other)),
        }
    }

    /// Takes an integer.
    pub fn integer(&mut self, name: &str) -> Result<i64, ShapeError> {
        match self.take(name)? {
            Json::Integer(number) => Ok(number),
            other => Err(wrong_kind(self.place_of(name), JsonKind::Integer, &other)),
        }
    }

    /// Takes an array of at most `max` elements.
    pub fn list(&mut self, name: &str, max: usize) -> Result<Vec<Json>, ShapeError> {
        match self.take(name)? {
            Json::List(elements) if elements.len() <= max => Ok(elements),
            Json::List(_) => Err(ShapeError::new(
                self.place_of(name),
                ShapeProblem::TooManyElements { max },
            )),
            other => Err(wrong_kind(self.place_of(name), JsonKind::List, &other)),
        }
    }

    /// Takes an array of at most `max` strings.
    pub fn texts(&mut self, name: &str, max: usize) -> Result<Vec<String>, ShapeError> {
        let place = self.place_of(name);
        let texts = self
            .list(name, max)?
            .into_iter()
            .map(|element| match element {
                Json::Text(text) => Ok(text),
                other => Err(wrong_kind(place.clone(), JsonKind::Texts, &other)),
            });
        texts.collect()
    }

    /// Takes an object.
    pub fn object(&mut self, name: &str) -> Result<Self, ShapeError> {
        let place = self.place_of(name);
        Self::of(self.take(name)?, place)
    }

    /// Takes all members of an object that serves as a table, at most `max`.
    pub fn table(&mut self, name: &str, max: usize) -> Result<Vec<(String, Json)>, ShapeError> {
        let table = self.object(name)?;
        if table.members.len() > max {
            return Err(ShapeError::new(
                table.place,
                ShapeProblem::TooManyMembers { max },
            ));
        }
        Ok(table.members.into_iter().collect())
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), ShapeError> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(name) => Err(ShapeError::new(
                self.place_of(name),
                ShapeProblem::Unexpected,
            )),
        }
    }
}

fn wrong_kind(place: String, expected: JsonKind, found: &Json) -> ShapeError {
    let found = found.kind();
    ShapeError::new(place, ShapeProblem::OtherKind { found, expected })
}

/// A member name as messages show it: short, so that no message grows with its input.
fn shown(name: &str) -> String {
    name.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_no_foreign_control_characters_and_stays_short() {
        let name = format!("\u{1b}[2J\u{202e}{}", "长".repeat(500));
        let fields = Fields::of(Json::object([(&*name, Json::Null)]), "file").unwrap();
        let message = fields.end().unwrap_err().to_string();
        assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message:?}");
        assert!(message.contains('长') && message.chars().count() < 100);
    }
}
