//! `tongban item lint`: whether item files may be published. All are looked at, whatever is wrong with
//! the first; an example beside a file must fill its form.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tongban_api::{FormFault, Item, Said};
use tongban_types::Code;
use tongban_types::limits::FORM_BYTES_MAX;
use utoipa::ToSchema;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::output::{Answer, Described, Mark, Output, Reader};
use crate::says;

/// An item's file with its form is some ten KiB.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 事项文件 (item files)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize, ToSchema)]
struct Linted {
    files: Vec<Finding>,
}

#[derive(Serialize, ToSchema)]
struct Finding {
    #[schema(value_type = String)]
    file: PathBuf,
    item: Option<String>,
    has_example: bool,
    faults: Vec<String>,
    /// The same in English.
    faults_en: Vec<String>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Linted>("tongban item lint");

impl Answer for Linted {
    const SCHEMA: &'static str = "tongban.item-lint/v1";
    const ROWS: &'static str = "files";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines = Vec::new();
        for found in &self.files {
            let (mark, sign) = if found.faults.is_empty() {
                (Mark::Good, "✓")
            } else {
                (Mark::Bad, "✗")
            };
            let item = found.item.as_deref().unwrap_or_default();
            lines.push(format!(
                "{} {} {item}",
                reader.paint(mark, sign),
                found.file.display()
            ));
            let faults = reader.say(&found.faults, &found.faults_en);
            lines.extend(faults.iter().map(|fault| format!("    {fault}")));
        }
        if !self.is_sound() {
            lines.push(reader.next(&format!("tongban explain {}", Code::ITEM_FILE_UNSOUND)));
        }
        lines.join("\n")
    }
}

impl Linted {
    fn is_sound(&self) -> bool {
        self.files.iter().all(|found| found.faults.is_empty())
    }
}

/// Looks at them.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let files: Result<Vec<Finding>, Failure> =
        arguments.files.iter().map(|file| lint(file)).collect();
    let linted = Linted { files: files? };
    output.answer(&linted);
    Ok(if linted.is_sound() {
        Exit::Yes
    } else {
        Exit::No
    })
}

fn lint(file: &Path) -> Result<Finding, Failure> {
    let bytes = read_bounded(file, FILE_BYTES_MAX)?;
    let mut found = Finding {
        file: file.to_owned(),
        item: None,
        has_example: false,
        faults: Vec::new(),
        faults_en: Vec::new(),
    };
    let item = match Item::load(&file.display().to_string(), &bytes) {
        Ok(item) => item,
        Err(error) => {
            found.add(says::line(&error));
            return Ok(found);
        }
    };
    let version = item.terms.item;
    found.item = Some(version.to_string());
    if !file.ends_with(format!("{version}.json")) {
        found.add(Said::new(
            format!("应放在 {version}.json"),
            format!("belongs in {version}.json"),
        ));
    }
    let example = file.with_extension("example.json");
    if example.exists() {
        found.has_example = true;
        let filled = read_bounded(&example, FORM_BYTES_MAX)?;
        if let Err(fault) = item.read_form(&filled) {
            for Said { zh, en } in faults_of(&fault) {
                found.add(Said::new(format!("示例 {zh}"), format!("example {en}")));
            }
        }
    }
    Ok(found)
}

impl Finding {
    fn add(&mut self, fault: Said) {
        self.faults.push(fault.zh);
        self.faults_en.push(fault.en);
    }
}

/// What is wrong with a filled form, a line each.
pub(super) fn faults_of(fault: &FormFault) -> Vec<Said> {
    match fault {
        FormFault::Invalid(faults) => faults
            .iter()
            .map(|fault| {
                Said::new(
                    format!("{}: {}", fault.pointer, fault.message),
                    format!("{}: {}", fault.pointer, fault.message_en),
                )
            })
            .collect(),
        other => vec![says::line(other)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_of_the_tree_are_sound_and_a_broken_one_is_not() {
        let items = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/items/national");
        let file = items.join("000109900001/1.json");
        let found = lint(&file).unwrap();
        assert_eq!((found.faults, found.has_example), (Vec::new(), true));
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("000109900001");
        std::fs::create_dir(&place).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(
            place.join("1.json"),
            text.replace("\"notice_days\": 5,", ""),
        )
        .unwrap();
        std::fs::write(place.join("2.json"), &text).unwrap();
        let found = lint(&place.join("1.json")).unwrap();
        let (broken, broken_en) = (found.faults, found.faults_en);
        assert!(broken[0].contains("notice_days"), "{broken:?}");
        assert!(broken[0].contains("缺少"), "{broken:?}");
        assert!(
            broken_en[0].contains("missing field `notice_days`"),
            "{broken_en:?}"
        );
        let displaced = lint(&place.join("2.json")).unwrap();
        assert_eq!(displaced.faults, ["应放在 000109900001/1.json"]);
        assert_eq!(displaced.faults_en, ["belongs in 000109900001/1.json"]);
    }
}
