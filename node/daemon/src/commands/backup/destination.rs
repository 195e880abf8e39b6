//! Where a backup goes: a new file that bears its name once it is whole and synced, or stdout.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tongban_api::Said;
use tongban_runtime::{BackupSink, CheckedBackup};
use tongban_types::Code;

use super::unfinished::{Unfinished, clear_left_behind};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{FileError, folder_of};

/// What a backup is written to.
pub(super) enum Destination {
    /// A file, under another name until it is whole.
    File {
        /// The name it is to bear.
        name: PathBuf,
        /// It.
        file: Unfinished,
    },
    /// Whoever reads what this process says.
    Stdout(io::Stdout),
}

impl Destination {
    /// Clears away what backups left that were interrupted on their way into the same folder; says what went.
    pub(super) fn clear(name: &Path) -> Vec<PathBuf> {
        if is_stdout(name) {
            return Vec::new();
        }
        clear_left_behind(folder_of(name))
    }

    /// Begins; `-` is stdout. A file that is there is left alone.
    pub(super) fn begin(name: &Path) -> Result<Self, Failure> {
        if is_stdout(name) {
            return Ok(Self::Stdout(io::stdout()));
        }
        if name.exists() {
            let name = name.display();
            let says = Said::new(
                format!("{name} 已经存在, 不覆盖; 换一个文件名"),
                format!("{name} is there already and is not overwritten; give another name"),
            );
            return Err(Failure::told(Code::FILE_UNUSABLE, Exit::Conflict, says));
        }
        Ok(Self::File {
            name: name.to_owned(),
            file: Unfinished::begin(name)?,
        })
    }

    /// Ends it: a file is read again and takes its name if it is whole. What was read, for a file.
    pub(super) fn finish(self) -> Result<Option<CheckedBackup>, Failure> {
        match self {
            Self::Stdout(mut out) => {
                out.flush().map_err(FileError::at(Path::new("-")))?;
                Ok(None)
            }
            Self::File { name, file } => file.finish(&name).map(Some),
        }
    }
}

fn is_stdout(name: &Path) -> bool {
    name.as_os_str() == "-"
}

#[async_trait]
impl BackupSink for Destination {
    async fn put(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.put(&bytes),
            Self::Stdout(out) => out.write_all(&bytes),
        }
    }
}
