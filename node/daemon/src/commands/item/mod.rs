//! `tongban item`: the service items this program carries, and item files that are to become one. They
//! are read offline: what an item says is in its file.

mod lint;
mod ls;
mod preview;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use tongban_api::{Catalogue, CatalogueError, Said};
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::{Coded, Failure};
use crate::output::{Described, Output};

/// The JSON forms of what is answered here.
pub(crate) const ANSWERS: &[Described] = &[lint::ANSWER, ls::ANSWER, preview::ANSWER];

#[derive(Debug, Subcommand)]
pub(crate) enum ItemCommand {
    /// 列出事项 (list items)
    #[command(alias = "list")]
    Ls(ls::Arguments),
    /// 检查事项文件 (check item files)
    Lint(lint::Arguments),
    /// 预览指南和表单; 检查填好的表单 (guide and form of an item; check a filled form)
    Preview(preview::Arguments),
}

impl ItemCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Ls(arguments) => ls::run(arguments, output),
            Self::Lint(arguments) => lint::run(arguments, output),
            Self::Preview(arguments) => preview::run(arguments, output),
        }
    }
}

impl Coded for CatalogueError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { .. } => Exit::NotFound,
            _ => Exit::No,
        }
    }

    fn says(&self) -> Option<Said> {
        Some(Self::says(self))
    }

    fn next(&self) -> Option<String> {
        Some("tongban item lint FILE".to_owned())
    }
}

/// The catalogue of a folder laid out as `protocol/` is, or the one inside the program.
pub(crate) fn catalogue(folder: Option<&PathBuf>) -> Result<Catalogue, Failure> {
    match folder {
        Some(folder) => Ok(Catalogue::load(Path::new(folder))?),
        None => Ok(Catalogue::built_in()),
    }
}
