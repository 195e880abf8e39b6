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
    /// 演示完即结束; 否则保持运行, 给出地址和令牌 (end after it; otherwise stay up, with addresses and tokens)
    #[arg(long)]
    once: bool,
    /// 导览: 逐步核对, 每步一行 PASS 或 FAIL, 有 FAIL 则退出码为 1 (a tour: a line PASS or FAIL for each step, and
    /// exit code 1 after a FAIL)
    #[arg(long)]
    tour: bool,
    /// 保留演示目录 (leave its folder)
    #[arg(long)]
    keep: bool,
    /// 使用这个空目录, 并保留 (an empty folder to use, which is left)
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Plays it.
pub(crate) fn run(arguments: Arguments, output: Output) -> Result<Exit, Failure> {
    let wishes = Wishes {
        tour: arguments.tour,
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
