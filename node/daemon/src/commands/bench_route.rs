//! `tongban bench route`: how long a case takes to the authority in another province.

use std::time::Duration;

use clap::Args;

use crate::bench::{Route, run_alone};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 任意两个城市之间的往返时间, 毫秒 (round trip between any two cities, milliseconds)
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(0..=1000))]
    rtt_ms: u64,
    /// 逐件测量的件数 (cases to measure, one after the other)
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=1000))]
    cases: u16,
    /// 保留数据目录 (leave the folders of the nodes)
    #[arg(long)]
    keep: bool,
}

/// Measures.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let route = Route {
        round_trip: Duration::from_millis(arguments.rtt_ms),
        cases: usize::from(arguments.cases),
        keep: arguments.keep,
    };
    run_alone(route.measure(output))
}
