//! `tongban config`: what a node is configured with, whether that holds, what differs from what runs,
//! and taking it up.

mod check;
mod diff;
mod reload;
mod show;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
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
        let layers = Layers::of_process(&self.set).map_err(ConfigurationError::from)?;
        Ok(Configuration::read_below(&self.config, &layers)?)
    }
}

/// What the node on a data folder runs with.
fn running(data: &Path) -> Result<Running, Failure> {
    Running::read(data)?.ok_or_else(|| {
        let message = format!("{} 中没有运行的节点", data.display());
        Failure::new(Code::NODE_UNREACHABLE, Exit::Unreachable, message)
            .then("tongban up --config FILE")
    })
}
