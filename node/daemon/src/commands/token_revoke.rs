//! `tongban token revoke`: refuses a token from its next request on.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::FileTokenBook;
use tongban_types::Code;
use utoipa::ToSchema;

use super::prefix::the_one;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_process::TOKENS_FILE;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 节点的数据目录 (data folder of the node)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 令牌编号或其开头, 见 tongban token ls (id of a token, or its beginning)
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Serialize, ToSchema)]
struct Revoked<'a> {
    id: &'a str,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Revoked>("tongban token revoke");

impl Answer for Revoked<'_> {
    const SCHEMA: &'static str = "tongban.token-revoked/v1";

    fn to_text(&self, reader: Reader) -> String {
        format!("{} {}", reader.say("已撤销", "revoked"), self.id)
    }
}

/// Revokes it.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let book = FileTokenBook::open(arguments.data.join(TOKENS_FILE))?;
    let next = || format!("tongban token ls --data {}", arguments.data.display());
    let tokens = book.list()?;
    let ids = tokens.iter().map(|token| token.id.as_str());
    let id =
        the_one(ids, &arguments.id, Code::NO_SUCH_TOKEN).map_err(|failure| failure.then(next()))?;
    book.revoke(id)
        .map_err(|error| Failure::from(error).then(next()))?;
    output.answer(&Revoked { id });
    Ok(Exit::Yes)
}
