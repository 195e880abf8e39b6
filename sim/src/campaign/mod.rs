//! From one seed to many: what `cargo sim` does.

mod command_line;
mod many;
mod one;
mod tally;
mod worker;

pub(crate) use command_line::Arguments;

use std::process::ExitCode;

/// Does what the command line asks for.
pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    let is_well = match (arguments.worker, arguments.seed) {
        (Some(stride), _) => worker::run(arguments, stride),
        (None, Some(seed)) => one::run(arguments, seed),
        (None, None) => many::run(arguments),
    };
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
