//! The arguments of one command as they are read when they are typed, for tests.

use clap::{Args, Parser};

#[derive(Parser)]
struct Typed<A: Args> {
    #[command(flatten)]
    arguments: A,
}

/// Reads them; the first word is the command's name.
pub(crate) fn typed<A: Args>(words: &[&str]) -> A {
    let read = Typed::try_parse_from(words);
    read.unwrap_or_else(|error| panic!("{words:?}: {error}"))
        .arguments
}
