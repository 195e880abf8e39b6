//! What the demonstration says, in both languages, and nowhere else. A name between braces is filled in when
//! the line is told.

use std::fmt::Display;

use crate::output::Reader;

/// A line in both languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    zh: &'static str,
    en: &'static str,
}

/// What is filled in, by name.
pub(super) type Values<'a> = &'a [(&'a str, &'a dyn Display)];

/// A constant a line, and all of them together.
macro_rules! lines {
    ($all:ident: $($name:ident $zh:literal $en:literal;)*) => {
        use super::Line;
        $(pub(in crate::demo) const $name: Line = Line { zh: $zh, en: $en };)*
        #[cfg(test)]
        pub(super) const $all: &[(&str, Line)] = &[$((stringify!($name), $name),)*];
    };
}

mod story;
mod tour;

pub(super) use story::*;
pub(super) use tour::*;

impl Line {
    /// The line for a reader, with every name filled in.
    pub(super) fn told(self, reader: Reader, values: Values<'_>) -> String {
        let mut told = reader.say(self.zh, self.en).to_owned();
        for (name, value) in values {
            told = told.replace(&format!("{{{name}}}"), &value.to_string());
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::both_languages::{is_chinese, is_han};
    use crate::output::Language;

    fn names(text: &str) -> BTreeSet<&str> {
        let opened = text.split('{').skip(1);
        opened
            .map(|rest| rest.split_once('}').expect("it is closed").0)
            .collect()
    }

    #[test]
    fn every_line_is_whole_in_both_languages() {
        for (name, line) in STORY.iter().chain(TOUR) {
            assert!(line.zh.contains(is_han), "{name}: {}", line.zh);
            assert!(!line.en.contains(is_chinese), "{name}: {}", line.en);
            assert!(!line.en.trim().is_empty(), "{name}");
            assert_eq!(names(line.zh), names(line.en), "{name}");
        }
    }

    #[test]
    fn a_line_is_told_with_what_happened() {
        let values: Values<'_> = &[("node", &"Putian"), ("count", &4)];
        let told = |language| COLLECTED_WHILE_DOWN.told(Reader::plain(language), values);
        assert_eq!(told(Language::Zh), "Putian 停机期间又收 4 件, 均已复制");
        let english = "4 more taken in while Putian is down, all replicated";
        assert_eq!(told(Language::En), english);
    }
}
