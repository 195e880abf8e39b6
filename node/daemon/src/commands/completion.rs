//! `tongban completion`: a script that lets a shell complete commands, options and values.

use clap::{Args, ValueEnum};
use clap_complete::{Shell, generate};

use crate::command_line::tree;
use crate::exit::Exit;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 哪个 shell (which shell)
    #[arg(value_name = "SHELL", value_enum)]
    shell: Of,
}

/// The shells people here use.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
}

/// Prints the script.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let shell = match arguments.shell {
        Of::Bash => Shell::Bash,
        Of::Zsh => Shell::Zsh,
        Of::Fish => Shell::Fish,
        Of::PowerShell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    generate(shell, &mut tree(), "tongban", &mut script);
    Output::verbatim(String::from_utf8_lossy(&script).trim_end());
    Exit::Yes
}
