//! `tongban config`: what a node is configured with, whether that holds, what differs from what runs,
//! and taking it up.

mod check;
mod diff;
mod reload;
mod show;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tongban_api::Said;
use tongban_types::Code;

use crate::configuration::{Configuration, ConfigurationError, Layers};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_process::Running;
use crate::output::{Described, Output};

/// The JSON forms of what is answered here.
pub(crate) const ANSWERS: &[Described] =
    &[check::ANSWER, diff::ANSWER, reload::ANSWER, show::ANSWER];

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// 检查配置文件, 指出错误所在的行和键 (check it; name line and key of a mistake)
    Check(Which),
    /// 列出每一项的值和来处 (every setting with its value and where it comes from)
    Show(show::Arguments),
    /// 与正在运行的节点相比有何不同 (what differs from the node that runs)
    Diff(Which),
    /// 让正在运行的节点重新读取配置 (have the node that runs read it again)
    Reload(reload::Arguments),
}

/// Which configuration is meant.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// 配置文件 (configuration file)
    #[arg(long, value_name = "FILE", default_value = "/etc/tongban/node.toml")]
    config: PathBuf,
    /// 覆盖一项配置, 可多次 (override a setting; may be given several times)
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
}

impl ConfigCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Check(which) => check::run(which, output),
            Self::Show(arguments) => show::run(arguments, output),
            Self::Diff(which) => diff::run(which, output),
            Self::Reload(arguments) => reload::run(arguments, output),
        }
    }
}

impl Which {
    /// Reads it as `up` would.
    fn read(&self) -> Result<Configuration, Failure> {
        read(&self.config, &self.set)
    }

    /// Whether something was typed that is not in the file, and so not for a node that runs.
    const fn is_typed_over(&self) -> bool {
        !self.set.is_empty()
    }
}

/// Reads a configuration as `up` would, with what was typed over it.
fn read(config: &Path, set: &[String]) -> Result<Configuration, Failure> {
    let layers = Layers::of_process(set).map_err(ConfigurationError::from)?;
    Ok(Configuration::read_below(config, &layers)?)
}

/// What the node of a configuration runs with.
fn running(read: &Configuration) -> Result<Running, Failure> {
    Running::on(&read.data)?.ok_or_else(|| {
        let data = read.data.display();
        let says = Said::new(
            format!("{data} 中没有运行的节点"),
            format!("no node runs on {data}"),
        );
        Failure::told(Code::NODE_UNREACHABLE, Exit::Unreachable, says)
            .then(format!("tongban up --config {}", read.file.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_node_runs_the_next_command_starts_the_one_of_this_configuration() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/six-cities");
        let folder = tempfile::tempdir().unwrap();
        let which = Which {
            config: samples.join("350100-fuzhou/node.toml"),
            set: vec![format!("data.folder={}", folder.path().display())],
        };
        let refused = running(&which.read().unwrap()).unwrap_err();
        assert_eq!(refused.code, Code::NODE_UNREACHABLE);
        let next = format!("tongban up --config {}", which.config.display());
        assert_eq!(refused.next, next);
    }
}
