//! `tongban backup verify`: whether a backup is whole, as it was signed, by a node the registry knows; and,
//! with the recovery key, whether every part opens.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use utoipa::ToSchema;

use super::contents::Contents;
use super::source::{Source, SourceArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keys::read_seed;
use crate::output::{Answer, Described, Mark, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    /// 恢复密钥的私钥文件; 有它才逐块解密 (recovery key: with it every part is opened)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct Verified {
    verdict: &'static str,
    opened: bool,
    #[serde(flatten)]
    contents: Contents,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Verified>("tongban backup verify");

impl Answer for Verified {
    const SCHEMA: &'static str = "tongban.backup-verified/v1";
    const ROWS: &'static str = "groups";

    fn to_text(&self, reader: Reader) -> String {
        let verdict = match (self.opened, reader.say(true, false)) {
            (true, true) => "备份完整, 签名有效, 每一块都能解密",
            (false, true) => "备份完整, 签名有效; 未用恢复密钥解密 (--key)",
            (true, false) => "whole, signed, and every part opens",
            (false, false) => "whole and signed; not opened with the recovery key (--key)",
        };
        let verdict = reader.paint(Mark::Good, verdict);
        format!("{verdict}\n{}", self.contents.to_text(reader))
    }
}

/// Verifies the file.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let seed = arguments.key.as_deref().map(read_seed).transpose()?;
    let source = Source::check(&arguments.source)?;
    if let Some(seed) = &seed {
        source.open_all(seed)?;
    }
    output.answer(&Verified {
        verdict: "whole",
        opened: seed.is_some(),
        contents: Contents::of(&source.checked),
    });
    Ok(Exit::Yes)
}
