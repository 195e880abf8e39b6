//! Where a TOML file is wrong: file, line and key, for whoever has to correct it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tongban_api::Said;

use crate::handed_through::unmarked;
use crate::says::refused;

/// A mistake in a TOML file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{} 第 {line} 行第 {column} 列, {key}: {what}", file.display())]
pub(crate) struct Mistake {
    /// The file.
    pub(crate) file: PathBuf,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// Its column, from 1.
    pub(crate) column: usize,
    /// The key, or what stands there.
    pub(crate) key: String,
    /// What is wrong, as the reader says it, or in Chinese.
    pub(crate) what: String,
    /// The same in one language at a time; apart, so that a result with a mistake in it stays small.
    pub(crate) told: Box<Said>,
}

impl Mistake {
    /// Where it is and what is wrong, in both languages.
    pub(crate) fn says(&self) -> Said {
        let (file, line, column, key) = (self.file.display(), self.line, self.column, &self.key);
        let Said { zh, en } = &*self.told;
        Said::new(
            format!("{file} 第 {line} 行第 {column} 列, {key}: {zh}"),
            format!("{file}, line {line}, column {column}, {key}: {en}"),
        )
    }
}

/// The text of a file, to say where in it something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The file.
    pub(crate) file: &'a Path,
    /// Its text.
    pub(crate) text: &'a str,
}

/// Names less alike than this are no slip of the finger.
const ALIKE: f64 = 0.75;

/// What was meant by an unknown name, where the reader lists what it knows.
fn likely(what: &str) -> Option<&str> {
    let what = what.strip_prefix("unknown field")?;
    let mut names = what.split('`').skip(1).step_by(2);
    let typed = names.next()?;
    let likeness = |name: &&str| strsim::jaro_winkler(typed, name);
    let best = names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&best) >= ALIKE).then_some(best)
}

impl Place<'_> {
    /// The line a span begins in, from 1.
    pub(crate) fn line_of(self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    /// The column a span begins in, from 1, in characters.
    fn column_of(self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.chars().count() + 1
    }

    /// A mistake at a known key.
    pub(crate) fn at(self, span: &Range<usize>, key: &str, says: Said) -> Mistake {
        Mistake {
            file: self.file.to_owned(),
            line: self.line_of(span),
            column: self.column_of(span),
            key: key.to_owned(),
            what: says.zh.clone(),
            told: Box::new(says),
        }
    }

    /// An error of the reader, which knows the place, and the key where there is one.
    pub(crate) fn malformed(self, mut error: toml::de::Error) -> Mistake {
        let span = error.span().unwrap_or_default();
        let message = error.message();
        let handed = unmarked(message);
        let what = handed.as_ref().map_or(message, |said| said.zh.as_str());
        let mut what = what.to_owned();
        let mut told = handed.unwrap_or_else(|| Said::new(refused(message), message));
        if let Some(meant) = likely(message) {
            what = format!("{what}; 是不是 {meant}? (did you mean {meant}?)");
            told = Said::new(
                format!("{}; 是不是 {meant}?", told.zh),
                format!("{}; did you mean {meant}?", told.en),
            );
        }
        // Without its input the error shows the path of the key instead of the source line.
        error.set_input(None);
        let shown = error.to_string();
        let path = shown
            .lines()
            .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
        let here = self.name_at(&span);
        let key = match path {
            // A key that should not be there: the reader names only the section it is in.
            Some(section) if what.starts_with("unknown field") => format!("{section}.{here}"),
            Some(path) => path.to_owned(),
            None => here,
        };
        Mistake {
            what,
            ..self.at(&span, &key, told)
        }
    }

    /// What the line of a span begins with: its key or its section.
    fn name_at(self, span: &Range<usize>) -> String {
        let line = self
            .text
            .lines()
            .nth(self.line_of(span) - 1)
            .unwrap_or_default();
        line.split('=').next().unwrap_or_default().trim().to_owned()
    }
}
