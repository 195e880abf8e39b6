//! `tongban config diff`: what the file says otherwise than the node that runs. 10 where something
//! differs.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::show::plain;
use super::{Which, running};
use crate::configuration::{Change, Origin, Setting, changes};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::path_word;
use crate::node_process::Running;
use crate::output::{Answer, Described, Output, Reader};

#[derive(Serialize, ToSchema)]
struct Difference {
    changes: Vec<Change>,
    #[serde(skip)]
    config: PathBuf,
    /// Whether something was compared that is not in the file.
    #[serde(skip)]
    is_typed_over: bool,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Difference>("tongban config diff");

impl Answer for Difference {
    const SCHEMA: &'static str = "tongban.config-diff/v1";
    const ROWS: &'static str = "changes";

    fn to_text(&self, reader: Reader) -> String {
        if self.changes.is_empty() {
            return reader.say("没有不同", "no difference").to_owned();
        }
        let mut table = reader.table(&[
            ("配置项", "SETTING"),
            ("运行中", "RUNNING"),
            ("配置", "CONFIGURED"),
            ("生效", "TAKES EFFECT"),
        ]);
        for change in &self.changes {
            let when = if change.needs_restart {
                reader.say("重启后", "at a restart")
            } else {
                reader.say("重新读取后", "at a reload")
            };
            table.row([
                change.key.clone(),
                plain(&change.before),
                plain(&change.after),
                when.to_owned(),
            ]);
        }
        let is_reload = self.changes.iter().any(|change| !change.needs_restart);
        let config = path_word(&self.config);
        let next = if self.is_typed_over {
            // No reload and no restart takes it up before it stands in the file.
            format!("tongban config diff --config {config}")
        } else if is_reload {
            format!("tongban config reload --config {config}")
        } else {
            "systemctl restart tongban".to_owned()
        };
        format!("{}\n{}", table.text(), reader.next(&next))
    }
}

/// Compares.
pub(super) fn run(which: &Which, output: Output) -> Result<Exit, Failure> {
    let read = which.read()?;
    let changes = changes_from(&running(&read)?, &read.settings);
    let exit = if changes.is_empty() {
        Exit::Yes
    } else {
        Exit::Changes
    };
    output.answer(&Difference {
        changes,
        config: read.file,
        is_typed_over: which.is_typed_over(),
    });
    Ok(exit)
}

/// What differs, a setting of a newer program included, which the one that runs has not.
pub(super) fn changes_from(running: &Running, configured: &[Setting]) -> Vec<Change> {
    let value_of = |key: &str| {
        let mut settings = running.settings.iter();
        settings
            .find(|(of, _)| of == key)
            .map_or(Value::Null, |(_, value)| value.clone())
    };
    let before: Vec<Setting> = configured
        .iter()
        .map(|setting| Setting {
            key: setting.key.clone(),
            value: value_of(&setting.key),
            origin: Origin::Default,
        })
        .collect();
    changes(&before, configured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn a_reload_is_told_only_of_what_stands_in_the_file() {
        let next = |is_typed_over| {
            let change = Change {
                key: "log.level".to_owned(),
                before: "info".into(),
                after: "debug".into(),
                needs_restart: false,
            };
            let difference = Difference {
                changes: vec![change],
                config: "n.toml".into(),
                is_typed_over,
            };
            let text = difference.to_text(Reader::plain(Language::En));
            text.lines().next_back().unwrap_or_default().to_owned()
        };
        assert_eq!(next(false), "next: tongban config reload --config n.toml");
        assert_eq!(next(true), "next: tongban config diff --config n.toml");
    }
}
