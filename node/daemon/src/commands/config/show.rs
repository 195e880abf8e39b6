//! `tongban config show`: every setting as it would be in force, and who said it.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Which;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// 连同来处: --set, 环境变量, 凭据, 文件行号, 默认 (with where each comes from)
    #[arg(long, alias = "origins")]
    origin: bool,
}

#[derive(Serialize, ToSchema)]
struct Shown {
    settings: Vec<Line>,
    #[serde(skip)]
    with_origin: bool,
}

#[derive(Serialize, ToSchema)]
struct Line {
    key: String,
    value: Value,
    origin: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Shown>("tongban config show");

impl Answer for Shown {
    const SCHEMA: &'static str = "tongban.config-shown/v1";
    const ROWS: &'static str = "settings";

    fn to_text(&self, reader: Reader) -> String {
        let mut columns = vec![("配置项", "SETTING"), ("值", "VALUE")];
        if self.with_origin {
            columns.push(("来处", "ORIGIN"));
        }
        let mut table = reader.table(&columns);
        for line in &self.settings {
            let mut cells = vec![line.key.clone(), plain(&line.value)];
            cells.extend(self.with_origin.then(|| line.origin.clone()));
            table.row(cells);
        }
        table.text()
    }
}

/// A value as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a setting is not for everybody's eyes.
fn is_secret(key: &str) -> bool {
    ["secret", "password", "token"]
        .iter()
        .any(|word| key.contains(word))
}

/// Shows it.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let read = arguments.which.read()?;
    let lines = read.settings.into_iter().map(|setting| Line {
        value: if is_secret(&setting.key) && !setting.value.is_null() {
            HIDDEN.into()
        } else {
            setting.value
        },
        origin: setting.origin.to_string(),
        key: setting.key,
    });
    output.answer(&Shown {
        settings: lines.collect(),
        with_origin: arguments.origin,
    });
    Ok(Exit::Yes)
}
