//! The file with what stands above it written in, line for line, so that the one reader judges all of it
//! and every mistake still leads to where it was made: a line of the file, or a variable.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::ConfigurationError;
use super::layers::{Key, Layers, Origin};
use crate::mistake::{Mistake, Place};

/// The text that is read.
#[derive(Debug)]
pub(super) struct Effective {
    /// TOML.
    pub(super) text: String,
    /// Where each of its lines comes from.
    lines: Vec<Origin>,
    /// Where each setting that is said comes from.
    origins: BTreeMap<Key, Origin>,
}

/// A piece of the file to be written otherwise.
struct Edit {
    range: Range<usize>,
    text: String,
    origin: Origin,
}

impl Effective {
    /// Writes the layers into the text of a file. `raw` are the settings whose value is TOML and no
    /// text: a number, a list.
    pub(super) fn of(
        file: &Path,
        text: &str,
        layers: &Layers,
        raw: &[Key],
    ) -> Result<Self, Mistake> {
        let place = Place { file, text };
        let table = DeTable::parse(text).map_err(|error| place.malformed(error))?;
        let table = table.get_ref();
        let mut origins = said(table, place);
        let mut edits = Vec::new();
        let mut new: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
        for (key, (value, origin)) in &layers.given {
            let literal = if raw.contains(key) {
                value.clone()
            } else {
                toml::Value::String(value.clone()).to_string()
            };
            let origin = origin.clone();
            if let Some(range) = span_of(table, key) {
                edits.push(Edit {
                    range,
                    text: literal,
                    origin: origin.clone(),
                });
            } else {
                let at = header_end(text, &key.section);
                let edit = Edit {
                    range: at.unwrap_or(text.len())..at.unwrap_or(text.len()),
                    text: format!("{} = {literal}\n", key.name),
                    origin: origin.clone(),
                };
                match at {
                    Some(_) => edits.push(edit),
                    None => new.entry(&key.section).or_default().push(edit),
                }
            }
            origins.insert(key.clone(), origin);
        }
        edits.sort_by_key(|edit| edit.range.start);
        let mut written = Self {
            text: String::new(),
            lines: Vec::new(),
            origins,
        };
        written.write(text, edits, new);
        Ok(written)
    }

    fn write(&mut self, text: &str, edits: Vec<Edit>, new: BTreeMap<&str, Vec<Edit>>) {
        let (mut at, mut line) = (0, 1);
        // Of the line that is being written, if it is not as the file has it.
        let mut of_line = None;
        for edit in edits {
            self.copy(&text[at..edit.range.start], &mut line, &mut of_line);
            self.text.push_str(&edit.text);
            if edit.text.ends_with('\n') {
                self.lines.push(edit.origin);
            } else {
                of_line = Some(edit.origin);
            }
            // A value over several lines is replaced by one of one line.
            line += text[edit.range.clone()].matches('\n').count();
            at = edit.range.end;
        }
        self.copy(&text[at..], &mut line, &mut of_line);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.copy("\n", &mut line, &mut of_line);
        }
        for (section, edits) in new {
            self.text.extend(["[", section, "]\n"]);
            self.lines
                .extend(edits.first().map(|edit| edit.origin.clone()));
            for edit in edits {
                self.text.push_str(&edit.text);
                self.lines.push(edit.origin);
            }
        }
    }

    fn copy(&mut self, piece: &str, line: &mut usize, of_line: &mut Option<Origin>) {
        self.text.push_str(piece);
        for _ in piece.matches('\n') {
            self.lines
                .push(of_line.take().unwrap_or(Origin::File(*line)));
            *line += 1;
        }
    }

    /// Where a setting comes from.
    pub(super) fn origin(&self, key: &str) -> Origin {
        let mut said = self.origins.iter();
        said.find(|(of, _)| of.to_string() == key)
            .map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The setting a mistake is in, where it was given above the file as text and is no text.
    pub(super) fn not_text(&self, error: &ConfigurationError) -> Option<Key> {
        let ConfigurationError::Malformed(mistake) = error else {
            return None;
        };
        let is_given = !matches!(self.lines.get(mistake.line - 1)?, Origin::File(_));
        let (section, name) = mistake.key.split_once('.')?;
        let key = Key {
            section: section.to_owned(),
            name: name.split('.').next().unwrap_or(name).to_owned(),
        };
        let is_known = self.origins.contains_key(&key);
        (is_given && is_known && mistake.what.contains("invalid type: string")).then_some(key)
    }

    /// The mistake as whoever made it finds it.
    pub(super) fn relocated(&self, error: ConfigurationError) -> ConfigurationError {
        let line = match &error {
            ConfigurationError::Malformed(mistake) => mistake.line,
            ConfigurationError::NotLoopback { line, .. } => *line,
            _ => return error,
        };
        let origin = line.checked_sub(1).and_then(|line| self.lines.get(line));
        match (origin, error) {
            (Some(Origin::File(at)), ConfigurationError::Malformed(mistake)) => Mistake {
                line: *at,
                ..mistake
            }
            .into(),
            (Some(Origin::File(at)), ConfigurationError::NotLoopback { file, address, .. }) => {
                ConfigurationError::NotLoopback {
                    file,
                    line: *at,
                    address,
                }
            }
            (Some(origin), ConfigurationError::Malformed(mistake)) => ConfigurationError::Given {
                origin: origin.clone(),
                file: mistake.file,
                key: mistake.key,
                what: mistake.what,
                told: mistake.told,
            },
            (Some(origin), ConfigurationError::NotLoopback { file, address, .. }) => {
                ConfigurationError::GivenNotLoopback {
                    origin: origin.clone(),
                    file,
                    address,
                }
            }
            (_, error) => error,
        }
    }
}

/// The settings a file says, each with its line.
fn said(table: &DeTable<'_>, place: Place<'_>) -> BTreeMap<Key, Origin> {
    let mut origins = BTreeMap::new();
    for (section, members) in table {
        let DeValue::Table(members) = members.get_ref() else {
            continue;
        };
        for (name, value) in members {
            let key = Key {
                section: section.get_ref().to_string(),
                name: name.get_ref().to_string(),
            };
            origins.insert(key, Origin::File(place.line_of(&value.span())));
        }
    }
    origins
}

fn span_of(table: &DeTable<'_>, key: &Key) -> Option<Range<usize>> {
    let section = table
        .iter()
        .find(|(name, _)| name.get_ref() == &key.section)?;
    let DeValue::Table(members) = section.1.get_ref() else {
        return None;
    };
    let member = members
        .iter()
        .find(|(name, _)| name.get_ref() == &key.name)?;
    Some(member.1.span())
}

/// The beginning of the line after `[section]`.
fn header_end(text: &str, section: &str) -> Option<usize> {
    let header = format!("[{section}]");
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let said = line.split('#').next().unwrap_or_default().trim();
        if said == header {
            return line.ends_with('\n').then_some(at);
        }
    }
    None
}
