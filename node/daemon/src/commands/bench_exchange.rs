//! `tongban bench exchange`: packets a second from city to city, each acknowledged.

use clap::Args;

use crate::bench::{Exchange, run_alone};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 写入者数, 共用几条连接 (writers, who share a few connections)
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    writers: u16,
    /// 表单字节数 (bytes of a form)
    #[arg(long, default_value_t = 2048)]
    bytes: usize,
    /// 测量秒数 (seconds to measure)
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// 保留数据目录 (leave the folders of the nodes)
    #[arg(long)]
    keep: bool,
}

/// Measures.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let exchange = Exchange {
        writers: usize::from(arguments.writers),
        bytes: arguments.bytes,
        seconds: arguments.seconds,
        keep: arguments.keep,
    };
    run_alone(exchange.measure(output))
}
