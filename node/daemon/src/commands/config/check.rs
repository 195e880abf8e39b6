//! `tongban config check`: reads a configuration as `up` would, and starts nothing.

use std::path::PathBuf;

use serde::Serialize;
use utoipa::ToSchema;

use super::Which;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Mark, Output, Reader};

#[derive(Serialize, ToSchema)]
struct Checked {
    #[schema(value_type = String)]
    config: PathBuf,
    node: String,
    #[schema(value_type = String)]
    data: PathBuf,
    federation: String,
    http: String,
    #[schema(value_type = String)]
    registry: PathBuf,
    log: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Checked>("tongban config check");

impl Answer for Checked {
    const SCHEMA: &'static str = "tongban.config/v1";

    fn to_text(&self, reader: Reader) -> String {
        let well = reader.paint(Mark::Good, reader.say("配置无误", "well configured"));
        let lines = [
            format!("{well}: {}", self.config.display()),
            format!("  {} {}", reader.say("节点", "node      "), self.node),
            format!(
                "  {} {}",
                reader.say("数据", "data      "),
                self.data.display()
            ),
            format!("  {} {}", reader.say("联盟", "federation"), self.federation),
            format!("  {} {}", reader.say("接口", "API       "), self.http),
            format!(
                "  {} {}",
                reader.say("名册", "registry  "),
                self.registry.display()
            ),
            format!("  {} {}", reader.say("日志", "log       "), self.log),
            reader.next(&format!(
                "tongban doctor --offline --config {}",
                self.config.display()
            )),
        ];
        lines.join("\n")
    }
}

/// Checks the file.
pub(super) fn run(which: &Which, output: Output) -> Result<Exit, Failure> {
    let read = which.read()?;
    output.answer(&Checked {
        config: read.file,
        node: read.node.to_string(),
        data: read.data,
        federation: read.federation_listen.to_string(),
        http: read.http_listen.to_string(),
        registry: read.registry_file,
        log: read.log_level,
    });
    Ok(Exit::Yes)
}
