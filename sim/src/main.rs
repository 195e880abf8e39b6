//! `cargo sim`: runs seeds and says what came of them.

mod campaign;

use std::process::ExitCode;

use clap::Parser;

use crate::campaign::Arguments;

fn main() -> ExitCode {
    campaign::main(&Arguments::parse())
}
