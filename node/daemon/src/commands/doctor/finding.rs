//! One thing looked at, and what to do about it.

use serde::Serialize;
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

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// What was looked at, for programs.
    pub(crate) id: &'static str,
    /// How it stands.
    pub(crate) level: Level,
    /// What was seen, for people.
    pub(crate) seen: String,
    /// The code that explains it.
    pub(crate) code: Option<String>,
    /// The command that helps.
    pub(crate) cure: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(crate) fn success(id: &'static str, seen: impl Into<String>) -> Self {
        Self::of(id, Level::Success, seen)
    }

    /// Not looked at.
    pub(crate) fn skipped(id: &'static str, why: impl Into<String>) -> Self {
        Self::of(id, Level::Skipped, why)
    }

    /// To be looked after.
    pub(crate) fn warning(
        id: &'static str,
        seen: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        let mut finding = Self::of(id, Level::Warning, seen);
        finding.cure = Some(cure.into());
        finding
    }

    /// Not as it must be.
    pub(crate) fn failure(
        id: &'static str,
        seen: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Failure,
            ..Self::warning(id, seen, cure)
        }
    }

    /// Of an error that is known by its code.
    pub(crate) fn failed(id: &'static str, failure: &Failure) -> Self {
        let causes: Vec<String> = failure.cause.chain().map(ToString::to_string).collect();
        Self {
            code: Some(failure.code.to_string()),
            ..Self::failure(id, causes.join(": "), failure.next.clone())
        }
    }

    fn of(id: &'static str, level: Level, seen: impl Into<String>) -> Self {
        Self {
            id,
            level,
            seen: seen.into(),
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
        let mut text = format!("{word} {} {}{code}", padded(self.id, 14), self.seen);
        if let Some(cure) = &self.cure {
            text.extend(["\n          → ", cure]);
        }
        text
    }
}
