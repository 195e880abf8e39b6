//! `tongban case`: what a clerk or an officer does to cases, from a shell, over the API.

mod act;
mod export;
mod ls;
mod new;
mod number;
mod show;

use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;
use tongban_runtime::seams::Entropy as _;
use tongban_types::limits::FORM_BYTES_MAX;
use tongban_types::{Code, Division};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded_or_stdin;
use crate::output::{Described, Output};
use crate::platform::OsEntropy;

/// The JSON forms of what is answered here.
pub(crate) const ANSWERS: &[Described] = &[
    act::ANSWER,
    export::ANSWER,
    ls::ANSWER,
    new::ANSWER,
    show::ANSWER,
];

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// 收件 (collect an application)
    New(new::Arguments),
    /// 列出 (list)
    #[command(alias = "list")]
    Ls(ls::Arguments),
    /// 查看: 时间线和时限 (show: timeline and clocks)
    Show(show::Arguments),
    /// 办理一步 (act)
    Act(act::Arguments),
    /// 导出: 经过、回执、文书 (export: history, receipt, document)
    Export(export::Arguments),
}

impl CaseCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the tasks of the command")?;
        runtime.block_on(async {
            match self {
                Self::New(arguments) => new::run(arguments, output).await,
                Self::Ls(arguments) => ls::run(arguments, output).await,
                Self::Show(arguments) => show::run(arguments, output).await,
                Self::Act(arguments) => act::run(arguments, output).await,
                Self::Export(arguments) => export::run(arguments, output).await,
            }
        })
    }
}

/// A filled form, from a file or, for `-`, from stdin.
fn read_form(file: &Path) -> Result<Value, Failure> {
    let bytes = read_bounded_or_stdin(file, FORM_BYTES_MAX)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        Failure::new(Code::JSON_NOT_STRICT, Exit::No, message).then("tongban item preview CODE")
    })
}

/// A key under which an order is carried out once, however often it is sent.
fn new_key() -> String {
    data_encoding::HEXLOWER.encode(&OsEntropy.array::<16>())
}

/// An order whose answer did not come may have been carried out: sent again whole and under its key, it is
/// not carried out twice. The form it had must be the same too.
fn under_key(failure: Failure, again: String, form: Option<&Path>, output: Output) -> Failure {
    if !matches!(failure.exit, Exit::TimedOut | Exit::Unreachable) {
        return failure;
    }
    if form == Some(Path::new("-")) {
        output.talk(output.reader().say(
            "重发时, 标准输入须再给同一份表单",
            "sent again, it needs the same form on stdin",
        ));
    }
    failure.then(again)
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A city or division as a list shows it.
pub(crate) fn place(value: &Value) -> &str {
    let (code, name) = (text(&value["code"]), text(&value["name"]));
    if !name.is_empty() {
        return name;
    }
    let division: Option<Division> = code.parse().ok();
    division.and_then(Division::name).unwrap_or(code)
}

/// A time as a list shows it, to the minute: `2026-03-02 09:30`.
pub(crate) fn minute(value: &Value) -> String {
    let time = text(value);
    time.get(..16).unwrap_or(time).replace('T', " ")
}
