//! `tongban schema`: what every JSON object is that this program gives or takes, as JSON Schema; offline.

mod known;
mod ls;
mod show;
mod validate;

use std::path::PathBuf;

use clap::Subcommand;
use tongban_types::Code;

use crate::commands::prefix::the_one;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

use known::{Known, all};

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// 列出 (list)
    #[command(alias = "list")]
    Ls(ls::Arguments),
    /// 输出一份 JSON Schema (print one)
    Show(show::Arguments),
    /// 检查一个 JSON 文件, 指出每处不符 (check a file, place by place)
    Validate(validate::Arguments),
}

impl SchemaCommand {
    /// Does it.
    pub(crate) fn run(&self, output: Output) -> Result<Exit, Failure> {
        match self {
            Self::Ls(arguments) => ls::run(arguments, output),
            Self::Show(arguments) => show::run(arguments),
            Self::Validate(arguments) => validate::run(arguments, output),
        }
    }
}

/// The one that is meant by its name with or without `tongban.`, with its version or, for the newest,
/// without, or by the beginning of its name.
fn find(typed: &str, folder: Option<&PathBuf>) -> Result<Known, Failure> {
    let mut known = all(folder)?;
    let typed = typed.strip_prefix(known::PREFIX).unwrap_or(typed);
    let wanted = format!("{}{typed}", known::PREFIX);
    let newest = known.iter().rposition(|one| one.is_named(&wanted));
    let place = if let Some(place) = newest {
        place
    } else {
        let names: Vec<String> = known.iter().map(Known::full_name).collect();
        let all_names = names.iter().map(String::as_str);
        let name = the_one(all_names, &wanted, Code::UNKNOWN_SCHEMA)
            .map_err(|failure| failure.then("tongban schema ls"))?;
        names.iter().position(|one| one == name).unwrap_or_default()
    };
    Ok(known.swap_remove(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: &str) -> Result<String, (Code, Exit)> {
        let known = find(typed, None);
        known
            .map(|one| one.full_name())
            .map_err(|failure| (failure.code, failure.exit))
    }

    #[test]
    fn a_schema_is_found_by_as_much_of_its_name_as_is_clear() {
        let case = Ok("tongban.case/v1".to_owned());
        for typed in ["tongban.case/v1", "case/v1", "tongban.case", "case"] {
            assert_eq!(found(typed), case, "{typed}");
        }
        assert_eq!(
            found("case-coll"),
            Ok("tongban.case-collected/v1".to_owned())
        );
        let (ambiguous, unknown) = (Code::AMBIGUOUS_PREFIX, Code::UNKNOWN_SCHEMA);
        assert_eq!(found("case-"), Err((ambiguous, Exit::Conflict)));
        assert_eq!(found("case/v9"), Err((unknown, Exit::NotFound)));
        assert_eq!(found("x"), Err((unknown, Exit::NotFound)));
    }
}
