//! `tongban demo`: six cities on this machine, one case across provinces, a leader killed on the way.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::demo::{Wishes, play};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What still runs when the story has ended is not waited for longer.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 演示完即结束; 否则保持运行, 给出地址和令牌
    #[arg(long)]
    once: bool,
    /// 保留演示目录
    #[arg(long)]
    keep: bool,
    /// 使用这个空目录, 并保留
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Plays it.
pub(crate) fn run(arguments: Arguments, output: Output) -> Result<Exit, Failure> {
    let wishes = Wishes {
        once: arguments.once,
        keep: arguments.keep,
        folder: arguments.dir,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the process")?;
    let ended = runtime.block_on(Box::pin(play(&wishes, output)));
    runtime.shutdown_timeout(LAST_WAIT);
    ended
}
