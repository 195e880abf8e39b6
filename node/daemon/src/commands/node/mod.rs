//! `tongban node`: taking the running node out of service for maintenance, and back into it.

mod drain;
mod resume;
mod view;

use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) use view::ANSWER;

/// A node answers this at once.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// 停用: 移交主持, 不收新件, 说明何时可以停机 (drain: hand leads away, take no new case, say when to stop)
    Drain(drain::Arguments),
    /// 恢复 (take it back into service)
    Resume(resume::Arguments),
}

impl NodeCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the tasks of the command")?;
        runtime.block_on(async {
            match self {
                Self::Drain(arguments) => drain::run(arguments, output).await,
                Self::Resume(arguments) => resume::run(arguments, output).await,
            }
        })
    }
}
