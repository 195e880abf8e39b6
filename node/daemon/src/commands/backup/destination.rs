//! Where a backup goes: a new file that bears its name once it is whole and synced, alone or in a folder where each
//! is named by what it is, or stdout.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tongban_api::Said;
use tongban_runtime::{BackupSink, CheckedBackup};
use tongban_types::{BackupHead, Code};

use super::daily::name_of;
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
    /// The same in a folder, to be named by its node and its beginning.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// It.
        file: Unfinished,
    },
    /// Whoever reads what this process says.
    Stdout(io::Stdout),
}

impl Destination {
    /// Clears away what backups left that were interrupted on their way into the same folder; says what went.
    pub(super) fn clear(out: &Path) -> Vec<PathBuf> {
        if is_stdout(out) {
            Vec::new()
        } else if out.is_dir() {
            clear_left_behind(out)
        } else {
            clear_left_behind(folder_of(out))
        }
    }

    /// Begins; `-` is stdout. A file that is there is left alone.
    pub(super) fn begin(out: &Path) -> Result<Self, Failure> {
        if is_stdout(out) {
            return Ok(Self::Stdout(io::stdout()));
        }
        if out.is_dir() {
            let file = Unfinished::begin(&out.join("backup"))?;
            let folder = out.to_owned();
            return Ok(Self::Folder { folder, file });
        }
        let name = not_there(out.to_owned())?;
        let file = Unfinished::begin(&name)?;
        Ok(Self::File { name, file })
    }

    /// Ends it: a file is read again and takes its name if it is whole. Its name and what was read, for a file.
    pub(super) fn finish(self) -> Result<Option<(PathBuf, CheckedBackup)>, Failure> {
        match self {
            Self::Stdout(mut out) => {
                out.flush().map_err(FileError::at(Path::new("-")))?;
                Ok(None)
            }
            Self::File { name, file } => file.finish(|_| not_there(name)).map(Some),
            Self::Folder { folder, file } => {
                let name = |head: &BackupHead| folder.join(name_of(head.node, head.begun_at));
                let made = file.finish(|checked| not_there(name(&checked.head)));
                made.map(Some)
            }
        }
    }
}

fn is_stdout(out: &Path) -> bool {
    out.as_os_str() == "-"
}

/// The name of a file, unless one has it already.
fn not_there(name: PathBuf) -> Result<PathBuf, Failure> {
    if !name.exists() {
        return Ok(name);
    }
    let name = name.display();
    let says = Said::new(
        format!("{name} 已经存在, 不覆盖; 换一个文件名"),
        format!("{name} is there already and is not overwritten; give another name"),
    );
    Err(Failure::told(Code::FILE_UNUSABLE, Exit::Conflict, says))
}

#[async_trait]
impl BackupSink for Destination {
    async fn put(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Self::File { file, .. } | Self::Folder { file, .. } => file.put(&bytes),
            Self::Stdout(out) => out.write_all(&bytes),
        }
    }
}
