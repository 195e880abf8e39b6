//! `cargo sim`: runs seeds and says what came of them.

use std::process::ExitCode;

use clap::Parser;
use tongban_sim::campaign::{self, Arguments};

fn main() -> ExitCode {
    campaign::main(&Arguments::parse())
}
