//! `tongban explain`: what a code means and what to do about it.

use clap::Args;
use serde::Serialize;
use tongban_types::{Code, CodeEntry};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Output};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 代码, 如 TB3013
    #[arg(value_name = "CODE", required_unless_present = "all")]
    code: Option<String>,
    /// 列出全部代码
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

#[derive(Serialize)]
struct Explained {
    codes: Vec<Entry>,
    #[serde(skip)]
    brief: bool,
}

#[derive(Serialize)]
struct Entry {
    code: String,
    name: &'static str,
    what: Words,
    cure: Words,
}

#[derive(Serialize)]
struct Words {
    zh: &'static str,
    en: &'static str,
}

impl From<&CodeEntry> for Entry {
    fn from(entry: &CodeEntry) -> Self {
        Self {
            code: entry.code.to_string(),
            name: entry.name,
            what: Words {
                zh: entry.zh,
                en: entry.en,
            },
            cure: Words {
                zh: entry.cure_zh,
                en: entry.cure_en,
            },
        }
    }
}

impl Answer for Explained {
    const SCHEMA: &'static str = "tongban.codes/v1";

    fn to_text(&self) -> String {
        let line = |entry: &Entry| format!("{}  {}", entry.code, entry.what.zh);
        let whole = |entry: &Entry| {
            format!(
                "{} {}\n  {}\n  {}\n处理: {}\n  {}",
                entry.code, entry.name, entry.what.zh, entry.what.en, entry.cure.zh, entry.cure.en,
            )
        };
        let lines = self.codes.iter();
        let lines: Vec<String> = if self.brief {
            lines.map(line).collect()
        } else {
            lines.map(whole).collect()
        };
        lines.join("\n")
    }
}

/// Explains.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let codes = match &arguments.code {
        None => Code::table().iter().map(Entry::from).collect(),
        Some(text) => vec![find(text)?],
    };
    output.answer(&Explained {
        codes,
        brief: arguments.all,
    });
    Ok(Exit::Yes)
}

fn find(text: &str) -> Result<Entry, Failure> {
    let entry = text.parse().ok().and_then(Code::entry);
    entry.map(Entry::from).ok_or_else(|| {
        let shown: String = text.chars().take(32).collect();
        Failure::new(
            Code::UNKNOWN_CODE,
            Exit::NotFound,
            format!("没有代码 {shown}"),
        )
        .then("tongban explain --all")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_never_given_out_is_not_found() {
        assert_eq!(
            find("TB9999").err().map(|failure| failure.exit),
            Some(Exit::NotFound)
        );
        assert_eq!(
            find("tb8001").ok().map(|entry| entry.name),
            Some("internal")
        );
    }
}
