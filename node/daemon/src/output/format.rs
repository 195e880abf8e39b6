//! The forms an answer can take, and whom it is for.

use clap::ValueEnum;

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// 供人阅读 (for people)
    #[default]
    Table,
    /// 一个对象, 带 schema 版本 (one object with the version of its schema)
    Json,
    /// 每行一个对象 (one object a line)
    Jsonl,
    /// 每行一条, 首行是列名 (RFC 4180, names first)
    Csv,
}

impl Format {
    /// Whether programs read it.
    pub(crate) const fn is_for_machines(self) -> bool {
        !matches!(self, Self::Table)
    }
}

/// The language people are answered in. Machines are answered alike in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// 中文
    #[default]
    Zh,
    /// English
    En,
}
