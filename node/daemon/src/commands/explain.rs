//! `tongban explain`: what a code or an exit code means and what to do about it.

use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_types::{Code, CodeEntry};
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 代码, 如 TB3013; 或退出码, 如 78 (a code, or an exit code)
    #[arg(value_name = "CODE", required_unless_present = "all")]
    code: Option<String>,
    /// 列出全部代码 (all codes)
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

#[derive(Serialize, ToSchema)]
struct Explained {
    codes: Vec<Entry>,
    #[serde(skip)]
    brief: bool,
}

#[derive(Serialize, ToSchema)]
struct Entry {
    code: String,
    name: &'static str,
    what: Words,
    cure: Words,
}

#[derive(Serialize, ToSchema)]
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

/// The JSON form of codes explained.
pub(crate) const CODES: Described = Described::answer::<Explained>("tongban explain");

impl Answer for Explained {
    const SCHEMA: &'static str = "tongban.codes/v1";
    const ROWS: &'static str = "codes";

    fn to_text(&self, reader: Reader) -> String {
        let what = |entry: &Entry| reader.say(entry.what.zh, entry.what.en);
        let line = |entry: &Entry| format!("{}  {}", entry.code, what(entry));
        let whole = |entry: &Entry| {
            format!(
                "{} {}\n  {}\n  {}\n{}: {}\n  {}",
                entry.code,
                entry.name,
                entry.what.zh,
                entry.what.en,
                reader.say("处理", "what to do"),
                entry.cure.zh,
                entry.cure.en,
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

#[derive(Serialize, ToSchema)]
struct ExitCode {
    exit: u8,
    zh: &'static str,
    en: &'static str,
}

/// The JSON form of an exit code explained.
pub(crate) const EXIT_CODE: Described = Described::answer::<ExitCode>("tongban explain");

impl Answer for ExitCode {
    const SCHEMA: &'static str = "tongban.exit-code/v1";

    fn to_text(&self, _: Reader) -> String {
        let own = format!("{}  {}\n    {}", self.exit, self.zh, self.en);
        format!("{own}\n\n{}", Exit::help())
    }
}

/// Explains.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    if let Some(exit) = arguments.code.as_deref().and_then(exit_code) {
        output.answer(&exit);
        return Ok(Exit::Yes);
    }
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

/// What a program ended with: one or two digits, where a code has four.
fn exit_code(text: &str) -> Option<ExitCode> {
    let number: u8 = text.parse().ok()?;
    let exit = Exit::ALL.into_iter().find(|exit| exit.number() == number)?;
    Some(ExitCode {
        exit: number,
        zh: exit.zh(),
        en: exit.en(),
    })
}

fn find(text: &str) -> Result<Entry, Failure> {
    let entry = text.parse().ok().and_then(Code::entry);
    entry.map(Entry::from).ok_or_else(|| {
        let shown: String = text.chars().take(32).collect();
        let says = Said::new(
            format!("没有代码 {shown}"),
            format!("there is no code {shown}"),
        );
        Failure::told(Code::UNKNOWN_CODE, Exit::NotFound, says).then("tongban explain --all")
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
        assert_eq!(exit_code("78").map(|found| found.exit), Some(78));
        assert!(exit_code("77").is_none() && exit_code("8001").is_none());
        assert_eq!(
            find("tb8001").ok().map(|entry| entry.name),
            Some("internal")
        );
    }
}
