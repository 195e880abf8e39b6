//! `tongban bench attachments`: files from city to city, beside rsync.

use clap::Args;

use crate::bench::{Attachments, run_alone};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 文件大小, MiB, 可给多个 (sizes of files)
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [20_u64, 1_024],
        value_parser = clap::value_parser!(u64).range(1..=65_536)
    )]
    mib: Vec<u64>,
    /// 每种大小的轮数, 每轮一个新文件, 与 rsync 交替 (files of each size, in turns with rsync)
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    runs: u8,
    /// 保留数据目录 (leave the folders of the nodes)
    #[arg(long)]
    keep: bool,
}

/// Measures.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let attachments = Attachments {
        mib: arguments.mib.clone(),
        runs: usize::from(arguments.runs),
        keep: arguments.keep,
    };
    run_alone(attachments.measure(output))
}
