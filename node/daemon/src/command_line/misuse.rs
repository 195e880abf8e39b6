//! What was typed is no command, or asks for help: said as every error is, with a command to run
//! next.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use tongban_types::Code;

use super::manner::Manner;
use super::sentence;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum Misuse {
    /// Help or the version was asked for: the text of it.
    Asked(clap::Error),
    /// It is no command.
    Refused {
        /// Why, and what comes next.
        failure: Failure,
        /// Where to say it: what was typed may have said how.
        output: Output,
    },
}

impl Misuse {
    pub(super) fn of(error: clap::Error, words: &[OsString]) -> Self {
        if matches!(
            error.kind(),
            ErrorKind::DisplayHelp
                | ErrorKind::DisplayVersion
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        ) {
            return Self::Asked(error);
        }
        let next = format!("{} --help", path_of(&error, words));
        let says = sentence::of(&error);
        let failure = Failure::told(Code::USAGE, Exit::Usage, says).then(next);
        Self::Refused {
            failure,
            output: Manner::of_refused(words).output(),
        }
    }

    /// Says it.
    pub(crate) fn say(&self) -> Exit {
        match self {
            Self::Asked(text) => {
                // A reader that went away has read enough.
                let _ = text.print();
                if text.use_stderr() {
                    Exit::Usage
                } else {
                    Exit::Yes
                }
            }
            Self::Refused { failure, output } => {
                output.failure(failure);
                failure.exit
            }
        }
    }
}

/// The command as far as it was understood: `tongban token create`.
fn path_of(error: &clap::Error, words: &[OsString]) -> String {
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let words: Vec<&str> = usage
            .split_whitespace()
            .skip_while(|word| *word != "tongban")
            .take_while(|word| !word.starts_with(['[', '<', '-']))
            .collect();
        if !words.is_empty() {
            return words.join(" ");
        }
    }
    let mut path = vec!["tongban".to_owned()];
    let mut here = super::tree();
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        // What is none is an option, perhaps with its value, or what the last command takes.
        if let Some(below) = here.find_subcommand(word).cloned() {
            path.push(below.get_name().to_owned());
            here = below;
        }
    }
    path.join(" ")
}
