//! `tongban backup ls`: the backups of a folder, or what lies in one. Each is read from its first byte to its
//! last, so that one that was cut short is not taken for a backup. Who signed it is for `verify` to say, which
//! asks for a registry.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use tongban_types::BACKUP_MAGIC;
use utoipa::ToSchema;

use super::contents::Contents;
use super::source::check_file;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;
use crate::output::{Answer, Described, Output, Reader};

/// Columns between the name of a file and its state.
const UNKNOWN_CELLS: usize = 6;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 目录, 或一份备份 (a folder, or one backup)
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
}

/// Backups, by the names of their files.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    backups: Vec<Line>,
    /// It was asked for this one, not for a folder.
    #[serde(skip)]
    is_one: bool,
}

/// A file that begins as a backup.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    #[schema(value_type = String)]
    file: PathBuf,
    /// Why it is of no use; none of one that is whole and as it was signed, by whomever.
    code: Option<String>,
    /// None of one that is of no use.
    contents: Option<Contents>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban backup ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.backups/v1";
    const ROWS: &'static str = "backups";

    fn to_text(&self, reader: Reader) -> String {
        let Some(first) = self.backups.first() else {
            let none = reader.say("没有备份", "no backups");
            let create = "tongban backup create --out FILE";
            return format!("{none}\n{}", reader.next(create));
        };
        let said = match &first.contents {
            Some(contents) if self.is_one => contents.to_text(reader),
            _ => self.table(reader),
        };
        let file = first.file.display();
        let fault = self.backups.iter().find_map(|line| line.code.as_ref());
        let next = fault.map_or_else(
            || format!("tongban backup verify {file} --trust registry.json"),
            |code| format!("tongban explain {code}"),
        );
        format!("{said}\n{}", reader.next(&next))
    }
}

impl Listed {
    fn table(&self, reader: Reader) -> String {
        let mut table = reader.table(&[
            ("文件", "FILE"),
            ("节点", "NODE"),
            ("开始于", "BEGUN"),
            ("字节", "BYTES"),
            ("办件密钥", "CASE KEYS"),
            ("待入组", "WAITING"),
            ("审批组", "GROUPS"),
            ("状态", "STATE"),
        ]);
        for line in &self.backups {
            table.row(line.cells(reader));
        }
        table.text()
    }
}

impl Line {
    fn read(file: PathBuf) -> Self {
        let (code, contents) = match check_file(&file) {
            Ok(checked) => (None, Some(Contents::of(&checked))),
            Err(failure) => (Some(failure.code.to_string()), None),
        };
        Self {
            file,
            code,
            contents,
        }
    }

    fn cells(&self, reader: Reader) -> Vec<String> {
        let mut cells = vec![self.file.display().to_string()];
        if let Some(contents) = &self.contents {
            cells.extend(contents.cells(reader));
        } else {
            cells.extend(std::iter::repeat_n("-".to_owned(), UNKNOWN_CELLS));
            cells.extend(self.code.clone());
        }
        cells
    }
}

/// Lists them. One that is of no use is a definite no.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let path = &arguments.path;
    let found = fs::metadata(path).map_err(FileError::at(path))?;
    let files = if found.is_dir() {
        backups_in(path)?
    } else {
        vec![path.clone()]
    };
    let listed = Listed {
        backups: files.into_iter().map(Line::read).collect(),
        is_one: !found.is_dir(),
    };
    let are_whole = listed.backups.iter().all(|line| line.code.is_none());
    output.answer(&listed);
    Ok(if are_whole { Exit::Yes } else { Exit::No })
}

/// The files of a folder that begin as a backup, by name; what else lies there is passed over.
fn backups_in(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(FileError::at(folder))? {
        let file = entry.map_err(FileError::at(folder))?.path();
        if file.is_file() && begins_as_backup(&file) {
            files.push(file);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// One that cannot be read may be a backup of another user's: it is listed, and says so.
fn begins_as_backup(file: &Path) -> bool {
    let mut begin = [0; BACKUP_MAGIC.len()];
    match File::open(file).and_then(|mut file| file.read_exact(&mut begin)) {
        Ok(()) => begin == *BACKUP_MAGIC,
        Err(error) => error.kind() != ErrorKind::UnexpectedEof,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn what_is_no_backup_is_passed_over_and_one_cut_short_is_named_with_its_code() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("b.backup", BACKUP_MAGIC);
        write("notes", b"not a backup");
        write("short", b"TB");
        fs::create_dir(folder.path().join("blobs")).unwrap();
        let files = backups_in(folder.path()).unwrap();
        assert_eq!(files, [folder.path().join("b.backup")]);
        let listed = Listed {
            backups: files.into_iter().map(Line::read).collect(),
            is_one: false,
        };
        let text = listed.to_text(Reader::plain(Language::En));
        assert!(text.contains("TB4020"), "{text}");
        assert!(text.ends_with("next: tongban explain TB4020"), "{text}");
    }

    #[test]
    fn a_folder_without_backups_says_how_one_is_made() {
        let listed = Listed {
            backups: Vec::new(),
            is_one: false,
        };
        let text = listed.to_text(Reader::plain(Language::En));
        assert!(text.starts_with("no backups"), "{text}");
        assert!(text.contains("tongban backup create"), "{text}");
    }
}
