//! `tongban doctor`: everything a node needs, looked at one by one, also while it is down. Nothing of
//! the node is changed.

mod backup;
mod certificate;
mod disk;
mod finding;
mod folder;
mod log;
mod network;
mod trust;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::configuration::{Configuration, ConfigurationError, Layers};
use crate::exit::Exit;
use crate::node_access::CONFIG_USUAL;
use crate::output::{Answer, Described, Output, Reader};

pub(crate) use disk::free_space;
use finding::{Finding, Level};
use utoipa::ToSchema;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 配置文件 (configuration file)
    #[arg(long, value_name = "FILE", default_value = CONFIG_USUAL)]
    config: PathBuf,
    /// 不问正在运行的节点 (ask no running node)
    #[arg(long)]
    offline: bool,
}

#[derive(Serialize, ToSchema)]
struct Examined {
    healthy: bool,
    findings: Vec<Finding>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Examined>("tongban doctor");

impl Answer for Examined {
    const SCHEMA: &'static str = "tongban.doctor/v1";
    const ROWS: &'static str = "findings";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines: Vec<String> = self.findings.iter().map(|one| one.text(reader)).collect();
        let count = |level| {
            self.findings
                .iter()
                .filter(|one| one.level == level)
                .count()
        };
        let (failures, warnings) = (count(Level::Failure), count(Level::Warning));
        lines.push(reader.say(
            format!("{failures} 项失败, {warnings} 项警告"),
            format!("{failures} failures, {warnings} warnings"),
        ));
        let worst = self
            .findings
            .iter()
            .filter(|one| one.level >= Level::Warning);
        let worst = worst.max_by_key(|one| one.level);
        let cure = worst.and_then(|one| one.cure.clone());
        lines.push(reader.next(&cure.unwrap_or_else(|| self.go_on())));
        lines.join("\n")
    }
}

impl Examined {
    /// What comes next where nothing is wrong: a node that runs is not started again.
    fn go_on(&self) -> String {
        let command = if self.good("process").is_some() {
            "status"
        } else {
            "up"
        };
        let config = self.good("configuration");
        let config = config.map_or(CONFIG_USUAL, |one| one.seen.as_str());
        format!("tongban {command} --config {config}")
    }

    fn good(&self, id: &str) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|one| one.id == id && one.level == Level::Success)
    }
}

/// Looks at everything.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Exit {
    let mut findings = Vec::new();
    match read(arguments) {
        Ok(configuration) => {
            findings.push(Finding::success(
                "configuration",
                configuration.file.display().to_string(),
            ));
            examine(&configuration, arguments.offline, &mut findings);
        }
        Err(error) => findings.push(Finding::failed("configuration", &error.into())),
    }
    let healthy = !findings.iter().any(|one| one.level == Level::Failure);
    output.answer(&Examined { healthy, findings });
    if healthy { Exit::Yes } else { Exit::No }
}

fn read(arguments: &Arguments) -> Result<Configuration, ConfigurationError> {
    Configuration::read_below(&arguments.config, &Layers::of_process(&[])?)
}

fn examine(configuration: &Configuration, offline: bool, findings: &mut Vec<Finding>) {
    let data = &configuration.data;
    let runs = folder::node_that_runs(data);
    findings.extend(folder::examine(configuration, runs.as_ref()));
    findings.extend(trust::examine(configuration));
    findings.push(certificate::examine(configuration));
    findings.push(log::examine(configuration, runs.is_some()));
    findings.push(folder::state(data));
    findings.push(backup::examine(configuration, runs.is_some()));
    findings.extend(disk::examine(data));
    findings.extend(network::examine(configuration, runs.as_ref(), offline));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn a_node_that_runs_well_is_not_to_be_started_again() {
        let last = |process: Finding| {
            let findings = vec![Finding::success("configuration", "node.toml"), process];
            let examined = Examined {
                healthy: true,
                findings,
            };
            let text = examined.to_text(Reader::plain(Language::En));
            text.lines().next_back().map(ToOwned::to_owned)
        };
        let runs = last(Finding::success("process", "1"));
        assert_eq!(
            runs.as_deref(),
            Some("next: tongban status --config node.toml")
        );
        let down = last(Finding::skipped("process", "down"));
        assert_eq!(down.as_deref(), Some("next: tongban up --config node.toml"));
    }
}
