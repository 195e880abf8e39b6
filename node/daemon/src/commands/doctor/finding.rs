//! One thing looked at, and what to do about it.

use serde::Serialize;
use tongban_api::Said;
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::output::{Mark, Reader, padded};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Success,
    /// Not looked at, with why.
    Skipped,
    /// It will be a failure some day.
    Warning,
    /// A node does not work so.
    Failure,
}

/// What was seen; alike in both languages where it is a path or what the system said.
#[derive(Clone, Debug)]
pub(crate) struct Seen(Said);

impl From<String> for Seen {
    fn from(text: String) -> Self {
        Self(Said::alike(text))
    }
}

impl<T: Into<String>> From<(T, T)> for Seen {
    fn from((zh, en): (T, T)) -> Self {
        Self(Said::new(zh, en))
    }
}

impl From<&str> for Seen {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// What was looked at, for programs.
    pub(crate) id: &'static str,
    /// How it stands.
    pub(crate) level: Level,
    /// What was seen, for people.
    pub(crate) seen: String,
    /// The same in English.
    pub(crate) seen_en: String,
    /// The code that explains it.
    pub(crate) code: Option<String>,
    /// The command that helps.
    pub(crate) cure: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(crate) fn success(id: &'static str, seen: impl Into<Seen>) -> Self {
        Self::of(id, Level::Success, seen)
    }

    /// Not looked at.
    pub(crate) fn skipped(id: &'static str, why: impl Into<Seen>) -> Self {
        Self::of(id, Level::Skipped, why)
    }

    /// To be looked after.
    pub(crate) fn warning(
        id: &'static str,
        seen: impl Into<Seen>,
        cure: impl Into<String>,
    ) -> Self {
        let mut finding = Self::of(id, Level::Warning, seen);
        finding.cure = Some(cure.into());
        finding
    }

    /// Not as it must be.
    pub(crate) fn failure(
        id: &'static str,
        seen: impl Into<Seen>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Failure,
            ..Self::warning(id, seen, cure)
        }
    }

    /// Of an error that is known by its code.
    pub(crate) fn failed(id: &'static str, failure: &Failure) -> Self {
        let (zh, en): (Vec<String>, Vec<String>) =
            failure.causes().map(|cause| (cause.zh, cause.en)).unzip();
        let seen = (zh.join(": "), en.join(": "));
        Self {
            code: Some(failure.code.to_string()),
            ..Self::failure(id, seen, failure.next.clone())
        }
    }

    fn of(id: &'static str, level: Level, seen: impl Into<Seen>) -> Self {
        let Seen(Said { zh, en }) = seen.into();
        Self {
            id,
            level,
            seen: zh,
            seen_en: en,
            code: None,
            cure: None,
        }
    }

    /// Its lines.
    pub(super) fn text(&self, reader: Reader) -> String {
        let (mark, word) = match self.level {
            Level::Success => (Mark::Good, "[success]"),
            Level::Skipped => (Mark::Warning, "[skipped]"),
            Level::Warning => (Mark::Warning, "[warning]"),
            Level::Failure => (Mark::Bad, "[failure]"),
        };
        let word = reader.paint(mark, word);
        let code = self
            .code
            .as_ref()
            .map(|code| format!(" ({code})"))
            .unwrap_or_default();
        let seen = reader.say(&self.seen, &self.seen_en);
        let mut text = format!("{word} {} {seen}{code}", padded(self.id, 14));
        if let Some(cure) = &self.cure {
            text.extend(["\n          → ", cure]);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn what_was_seen_is_said_in_the_language_of_the_reader() {
        let down = Finding::skipped("process", ("节点没有运行", "no node runs"));
        let said = |language| down.text(Reader::plain(language));
        assert!(said(Language::Zh).ends_with("节点没有运行"));
        assert!(said(Language::En).ends_with("no node runs"));
        let file = Finding::success("configuration", "node.toml");
        assert_eq!(file.seen, file.seen_en);
    }
}
