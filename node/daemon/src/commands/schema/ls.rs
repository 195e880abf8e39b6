//! `tongban schema ls`: the objects that have a schema.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use utoipa::ToSchema;

use super::known::{Known, all};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 事项目录, 内有 items/ 和 calendar/; 默认程序自带的 (folder of items/ and calendar/)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// The objects that have a schema.
#[derive(Serialize, ToSchema)]
struct Listed {
    schemas: Vec<Line>,
}

/// A versioned object.
#[derive(Serialize, ToSchema)]
struct Line {
    name: String,
    version: u32,
    /// What gives or takes it: a command, or an operation of the API.
    by: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban schema ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.schemas/v1";
    const ROWS: &'static str = "schemas";

    fn to_text(&self, reader: Reader) -> String {
        let mut table = reader.table(&[("名称", "NAME"), ("版本", "VERSION"), ("出自", "OF")]);
        for line in &self.schemas {
            table.row([line.name.clone(), line.version.to_string(), line.by.clone()]);
        }
        let next = reader.next("tongban schema show NAME");
        format!("{}\n{next}", table.text())
    }
}

/// Lists them.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let known = all(arguments.folder.as_ref())?.into_iter();
    let schemas = known.map(
        |Known {
             name, version, by, ..
         }| Line { name, version, by },
    );
    output.answer(&Listed {
        schemas: schemas.collect(),
    });
    Ok(Exit::Yes)
}
