//! `tongban config check`: reads a configuration as `up` would, and starts nothing.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Output};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 配置文件
    #[arg(long, value_name = "FILE", default_value = "/etc/tongban/node.toml")]
    config: PathBuf,
}

#[derive(Serialize)]
struct Checked {
    config: PathBuf,
    node: String,
    data: PathBuf,
    federation: String,
    http: String,
    registry: PathBuf,
    log: String,
}

impl Answer for Checked {
    const SCHEMA: &'static str = "tongban.config/v1";

    fn to_text(&self) -> String {
        format!(
            "配置无误: {}\n  节点 {}\n  数据 {}\n  联盟 {}\n  接口 {}\n  名册 {}\n  日志 {}",
            self.config.display(),
            self.node,
            self.data.display(),
            self.federation,
            self.http,
            self.registry.display(),
            self.log,
        )
    }
}

/// Checks the file.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let read = Configuration::read(&arguments.config)?;
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
