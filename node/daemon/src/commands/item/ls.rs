//! `tongban item ls`: the items with their limits.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use utoipa::ToSchema;

use super::catalogue;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 目录, 内有 items/ 和 calendar/; 默认程序自带的 (folder of items/ and calendar/)
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct Listed {
    items: Vec<Line>,
}

#[derive(Serialize, ToSchema)]
struct Line {
    code: String,
    version: u32,
    name: String,
    name_en: String,
    notice_days: u16,
    promise_days: u16,
    statutory_days: Option<u16>,
    document: Option<String>,
    sha256: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban item ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.items/v1";
    const ROWS: &'static str = "items";

    fn to_text(&self, reader: Reader) -> String {
        let mut table = reader.table(&[
            ("事项编码", "CODE"),
            ("版本", "VERSION"),
            ("名称", "NAME"),
            ("告知", "NOTICE"),
            ("承诺", "PROMISE"),
            ("法定", "STATUTORY"),
            ("文书", "DOCUMENT"),
        ]);
        for item in &self.items {
            table.row([
                item.code.clone(),
                item.version.to_string(),
                reader.say(&item.name, &item.name_en).clone(),
                item.notice_days.to_string(),
                item.promise_days.to_string(),
                item.statutory_days
                    .map_or("-".to_owned(), |days| days.to_string()),
                item.document.clone().unwrap_or("-".to_owned()),
            ]);
        }
        table.text()
    }
}

/// Lists them.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let catalogue = catalogue(arguments.folder.as_ref())?;
    let items = catalogue.items().map(|item| Line {
        code: item.terms.item.code.to_string(),
        version: item.terms.item.version,
        name: item.name.zh.clone(),
        name_en: item.name.en.clone(),
        notice_days: item.terms.notice_days,
        promise_days: item.terms.promise_days,
        statutory_days: item.terms.statutory_days,
        document: item.terms.document_type.clone(),
        sha256: item.terms.file.to_string(),
    });
    output.answer(&Listed {
        items: items.collect(),
    });
    Ok(Exit::Yes)
}
