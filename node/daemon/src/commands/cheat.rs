//! `tongban cheat`: what one types, by subject.

use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_types::Code;
use utoipa::ToSchema;

use crate::command_line::{examples_of, tree};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 命令, 如 token (a command)
    #[arg(value_name = "NOUN")]
    noun: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Sheet {
    examples: Vec<Line>,
}

#[derive(Serialize, ToSchema)]
struct Line {
    typed: &'static str,
    zh: &'static str,
    en: &'static str,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Sheet>("tongban cheat");

impl Answer for Sheet {
    const SCHEMA: &'static str = "tongban.examples/v1";
    const ROWS: &'static str = "examples";

    fn to_text(&self, reader: Reader) -> String {
        let line = |example: &Line| {
            format!(
                "# {}\n{}",
                reader.say(example.zh, example.en),
                example.typed
            )
        };
        self.examples
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n\n")
    }
}

/// Shows them.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let tree = tree();
    let nouns = tree.get_subcommands().map(clap::Command::get_name);
    let mut examples = Vec::new();
    for noun in nouns {
        if arguments
            .noun
            .as_deref()
            .is_none_or(|wanted| wanted == noun)
        {
            examples.extend(examples_of(noun).map(|example| Line {
                typed: example.line,
                zh: example.zh,
                en: example.en,
            }));
        }
    }
    if examples.is_empty() {
        let noun = arguments.noun.as_deref().unwrap_or_default();
        let says = Said::new(
            format!("没有 {noun} 的例子"),
            format!("there are no examples of {noun}"),
        );
        return Err(Failure::told(Code::USAGE, Exit::NotFound, says).then("tongban cheat"));
    }
    output.answer(&Sheet { examples });
    Ok(Exit::Yes)
}
