//! `tongban token revoke`: refuses a token from its next request on.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::FileTokenBook;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_process::TOKENS_FILE;
use crate::output::{Answer, Output};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 节点的数据目录
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 令牌编号, 见 tongban token ls
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Serialize)]
struct Revoked<'a> {
    id: &'a str,
}

impl Answer for Revoked<'_> {
    const SCHEMA: &'static str = "tongban.token-revoked/v1";

    fn to_text(&self) -> String {
        format!("已撤销 {}", self.id)
    }
}

/// Revokes it.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let book = FileTokenBook::open(arguments.data.join(TOKENS_FILE))?;
    book.revoke(&arguments.id).map_err(|error| {
        let next = format!("tongban token ls --data {}", arguments.data.display());
        Failure::from(error).then(next)
    })?;
    output.answer(&Revoked { id: &arguments.id });
    Ok(Exit::Yes)
}
