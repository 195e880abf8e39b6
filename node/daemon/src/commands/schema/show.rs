//! `tongban schema show`: one schema, as it is.

use std::path::PathBuf;

use clap::Args;

use super::find;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 名称, 如 tongban.case/v1; 可略去 tongban. 和版本 (name; `tongban.` and the version may be left out)
    #[arg(value_name = "NAME")]
    name: String,
    /// -o jsonl 的一行, 而非整个对象 (of one line of -o jsonl)
    #[arg(long)]
    lines: bool,
    /// 事项目录, 内有 items/ 和 calendar/; 默认程序自带的 (folder of items/ and calendar/)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let known = find(&arguments.name, arguments.folder.as_ref())?;
    let schema = if arguments.lines {
        known.line_schema()
    } else {
        known.schema()
    };
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    Output::verbatim(&text);
    Ok(Exit::Yes)
}
