//! `tongban config check`: reads a configuration as `up` would, and starts nothing.

use std::path::PathBuf;

use serde::Serialize;
use utoipa::ToSchema;

use super::Which;
use super::diff::changes_from;
use crate::configuration::Change;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::path_word;
use crate::node_process::Running;
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
    /// What differs from the node that runs on the data folder, if one does.
    changes: Vec<Change>,
    /// Whether something was checked that is not in the file.
    #[serde(skip)]
    is_typed_over: bool,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Checked>("tongban config check");

impl Answer for Checked {
    const SCHEMA: &'static str = "tongban.config/v1";

    fn to_text(&self, reader: Reader) -> String {
        let well = reader.paint(Mark::Good, reader.say("配置无误", "well configured"));
        let mut lines = vec![
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
        ];
        let config = path_word(&self.config);
        let of = |waits: bool| -> Vec<&str> {
            let changes = self.changes.iter();
            let those = changes.filter(|change| change.needs_restart == waits);
            those.map(|change| change.key.as_str()).collect()
        };
        let (reloaded, waiting) = (of(false), of(true));
        if !reloaded.is_empty() {
            let when = reader.say("重新读取后生效", "in force after a reload");
            lines.push(format!("  {when}: {}", reloaded.join(" ")));
        }
        if !waiting.is_empty() {
            let when = reader.say("重启后才生效", "in force after a restart");
            let keys = reader.paint(Mark::Warning, &waiting.join(" "));
            lines.push(format!("  {when}: {keys}"));
        }
        lines.push(
            reader.next(&if self.is_typed_over && !self.changes.is_empty() {
                // No reload and no restart takes it up before it stands in the file.
                format!("tongban config check --config {config}")
            } else if !reloaded.is_empty() {
                format!("tongban config reload --config {config}")
            } else if !waiting.is_empty() {
                "systemctl restart tongban".to_owned()
            } else {
                format!("tongban doctor --offline --config {config}")
            }),
        );
        lines.join("\n")
    }
}

/// Checks the file.
pub(super) fn run(which: &Which, output: Output) -> Result<Exit, Failure> {
    let read = which.read()?;
    // No node that runs, or one of another user: there is nothing to compare with.
    let running = Running::on(&read.data).ok().flatten();
    let changes = running.map(|running| changes_from(&running, &read.settings));
    output.answer(&Checked {
        config: read.file,
        node: read.node.to_string(),
        data: read.data,
        federation: read.federation_listen.to_string(),
        http: read.http_listen.to_string(),
        registry: read.registry_file,
        log: read.log_level,
        changes: changes.unwrap_or_default(),
        is_typed_over: which.is_typed_over(),
    });
    Ok(Exit::Yes)
}
