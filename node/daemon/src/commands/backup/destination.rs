//! Where a backup goes: a new file that bears its name once it is whole and synced, or stdout.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tongban_api::Said;
use tongban_runtime::{BackupSink, CheckedBackup};
use tongban_types::Code;

use super::source::check_file;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;

/// What a backup is written to.
pub(super) enum Destination {
    /// A file, under another name until it is whole.
    File {
        /// The name it is to bear.
        name: PathBuf,
        /// The name it bears until then.
        beside: PathBuf,
        /// It.
        file: BufWriter<File>,
    },
    /// Whoever reads what this process says.
    Stdout(io::Stdout),
}

impl Destination {
    /// Begins; `-` is stdout. A file that is there is left alone.
    pub(super) fn begin(name: &Path) -> Result<Self, Failure> {
        if name.as_os_str() == "-" {
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
        let mut beside = name.as_os_str().to_owned();
        beside.push(format!(".{}.tmp", std::process::id()));
        let beside = PathBuf::from(beside);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600);
        let file = file.open(&beside).map_err(FileError::at(&beside))?;
        Ok(Self::File {
            name: name.to_owned(),
            beside,
            file: BufWriter::new(file),
        })
    }

    /// Ends it: a file is read again and takes its name if it is whole. What was read, for a file.
    pub(super) fn finish(mut self) -> Result<Option<CheckedBackup>, Failure> {
        match &mut self {
            Self::Stdout(out) => {
                out.flush().map_err(FileError::at(Path::new("-")))?;
                Ok(None)
            }
            Self::File { name, beside, file } => {
                let durable = file.flush().and_then(|()| file.get_ref().sync_all());
                durable.map_err(FileError::at(beside))?;
                let checked = check_file(beside)?;
                fs::rename(&*beside, &*name).map_err(FileError::at(name))?;
                let folder = match name.parent() {
                    Some(folder) if !folder.as_os_str().is_empty() => folder,
                    _ => Path::new("."),
                };
                let synced = File::open(folder).and_then(|folder| folder.sync_all());
                synced.map_err(FileError::at(folder))?;
                Ok(Some(checked))
            }
        }
    }
}

impl Drop for Destination {
    /// What is not whole goes; what took its name is gone from there already.
    fn drop(&mut self) {
        if let Self::File { beside, .. } = self {
            let _ = fs::remove_file(beside);
        }
    }
}

#[async_trait]
impl BackupSink for Destination {
    async fn put(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.write_all(&bytes),
            Self::Stdout(out) => out.write_all(&bytes),
        }
    }
}
