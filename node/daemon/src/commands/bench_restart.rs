//! `tongban bench restart`: how soon nodes with many cases answer again.

use clap::Args;

use crate::bench::{Restart, run_alone};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 件数; 一百万件约占 15 GB 磁盘 (cases; a million take about 15 GB of disk)
    #[arg(
        long,
        default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    cases: u64,
    /// 装入时的写入者数, 共用几条连接 (writers that fill the group, who share a few connections)
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    writers: u16,
    /// 杀掉全部节点, 而不是正常停止 (kill the nodes instead of stopping them)
    #[arg(long)]
    kill: bool,
    /// 保留数据目录 (leave the folders of the nodes)
    #[arg(long)]
    keep: bool,
}

/// Measures.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let restart = Restart {
        cases: arguments.cases,
        writers: usize::from(arguments.writers),
        kill: arguments.kill,
        keep: arguments.keep,
    };
    run_alone(restart.measure(output))
}
