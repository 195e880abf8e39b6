//! The `tongban` binary: command line, configuration, and the wiring of a real node out of tokio,
//! files, libp2p and sled. What a node does is decided in other rooms; printing is done in `output`
//! alone.

mod bench;
#[cfg(test)]
mod both_languages;
mod command_line;
mod commands;
mod configuration;
mod demo;
mod exit;
mod failure;
mod files;
#[cfg(test)]
mod handed_out;
mod handed_through;
mod http_client;
mod instant;
mod keys;
mod misread;
mod mistake;
mod node_access;
mod node_process;
mod output;
mod panics;
mod platform;
mod registry;
mod says;
mod staging;
mod tls;
#[cfg(test)]
mod typed;

use std::process::ExitCode;

use crate::command_line::CommandLine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    panics::withhold_messages();
    let command_line = match CommandLine::read(std::env::args_os()) {
        Ok(command_line) => command_line,
        Err(misuse) => return misuse.say().into(),
    };
    let output = command_line.output();
    match command_line.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}
