//! `tongban peer`: the other nodes of the federation, as the running node here is linked with them.

mod ls;
mod ping;

use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Described, Output};

/// Longer than a dial over the worst line and a round trip.
const PATIENCE: Duration = Duration::from_secs(10);

/// The JSON forms of what is answered here.
pub(crate) const ANSWERS: &[Described] = &[ls::ANSWER, ping::ANSWER];

#[derive(Debug, Subcommand)]
pub(crate) enum PeerCommand {
    /// 列出对端: 连接、往返、上次的错误和处理 (list peers: link, round trip, last error and its cure)
    #[command(alias = "list")]
    Ls(ls::Arguments),
    /// 经运行中的节点测对端往返 (measure round trips through the running node)
    Ping(ping::Arguments),
}

impl PeerCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the tasks of the command")?;
        runtime.block_on(async {
            match self {
                Self::Ls(arguments) => ls::run(arguments, output).await,
                Self::Ping(arguments) => ping::run(arguments, output).await,
            }
        })
    }
}

/// Microseconds as people read them.
fn milliseconds(us: u64) -> String {
    format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10)
}
