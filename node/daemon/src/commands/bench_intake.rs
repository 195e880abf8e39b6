//! `tongban bench intake`: applications a second, each committed by a majority before it is answered.

use clap::Args;

use crate::bench::{Intake, measure, run_alone};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::misread::Misread;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 投票成员数, 每个一个进程: 3 或 5 (voters, each a process: 3 or 5)
    #[arg(long, default_value_t = 3, value_parser = voters)]
    voters: usize,
    /// 写入者数, 共用几条连接 (writers, who share a few connections)
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    writers: u16,
    /// 表单字节数 (bytes of a form)
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// 测量秒数 (seconds to measure)
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// 保留数据目录 (leave the folders of the nodes)
    #[arg(long)]
    keep: bool,
}

fn voters(text: &str) -> Result<usize, Misread> {
    match text {
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err(Misread::new("应为 3 或 5", "write 3 or 5")),
    }
}

/// Measures.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let intake = Intake {
        voters: arguments.voters,
        writers: usize::from(arguments.writers),
        bytes: arguments.bytes,
        seconds: arguments.seconds,
        keep: arguments.keep,
    };
    run_alone(measure(&intake, output))
}
