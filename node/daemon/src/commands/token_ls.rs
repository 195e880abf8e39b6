//! `tongban token ls`: the access tokens of a node, without their texts, which nobody has.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::FileTokenBook;
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;
use crate::instant::beijing;
use crate::node_process::TOKENS_FILE;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 节点的数据目录 (data folder of the node)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Serialize, ToSchema)]
struct Listed {
    tokens: Vec<Line>,
}

#[derive(Serialize, ToSchema)]
struct Line {
    id: String,
    role: &'static str,
    person: String,
    expires: String,
    label: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban token ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.tokens/v1";
    const ROWS: &'static str = "tokens";

    fn to_text(&self, reader: Reader) -> String {
        if self.tokens.is_empty() {
            let none = reader.say("没有令牌", "no tokens");
            let create = "tongban token create --data DIR --role clerk --person ID";
            return format!("{none}\n{}", reader.next(create));
        }
        let mut table = reader.table(&[
            ("编号", "ID"),
            ("岗位", "ROLE"),
            ("工号", "PERSON"),
            ("有效期至", "EXPIRES"),
            ("备注", "LABEL"),
        ]);
        for token in &self.tokens {
            let (id, role, person) = (&token.id, token.role, &token.person);
            table.row([id, role, person, &token.expires, &token.label].map(ToOwned::to_owned));
        }
        table.text()
    }
}

/// Lists them.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    // A node nobody was given a token of has no book; a folder that is not there has no node.
    std::fs::metadata(&arguments.data).map_err(FileError::at(&arguments.data))?;
    let tokens = FileTokenBook::open(arguments.data.join(TOKENS_FILE))?.list()?;
    let lines = tokens.into_iter().map(|token| Line {
        id: token.id,
        role: token.actor.role.name(),
        person: token.actor.person.to_string(),
        expires: beijing(token.expires),
        label: token.label,
    });
    output.answer(&Listed {
        tokens: lines.collect(),
    });
    Ok(Exit::Yes)
}
