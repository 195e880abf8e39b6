//! Small files read and written whole: bounded when read, atomic and durable when written.

use std::error::Error as StdError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Coded;

/// Why a file cannot be read or written.
#[derive(Debug, Error)]
#[error("{}", path.display())]
pub(crate) struct FileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Longer than what is read, where the system is made to say so.
#[derive(Debug, Error)]
#[error("文件超过 {bytes_max} 字节")]
struct TooLarge {
    bytes_max: usize,
}

/// What it says in both languages where a file is larger than what is read.
pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<Said> {
    let too_large: &TooLarge = error.downcast_ref()?;
    let bytes_max = too_large.bytes_max;
    Some(Said::new(
        too_large.to_string(),
        format!("the file has more than {bytes_max} bytes"),
    ))
}

impl FileError {
    /// For `map_err`.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }

    /// Whether the file is larger than what is read.
    pub(crate) fn is_too_large(&self) -> bool {
        self.source.kind() == io::ErrorKind::FileTooLarge
    }

    /// Whether there is no such file.
    pub(crate) fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl Coded for FileError {
    fn code(&self) -> Code {
        if self.is_too_large() {
            Code::TOO_LARGE
        } else {
            Code::FILE_UNUSABLE
        }
    }

    fn exit(&self) -> Exit {
        if self.is_missing() {
            Exit::NotFound
        } else if self.is_too_large() {
            Exit::No
        } else {
            Exit::Internal
        }
    }
}

/// Reads a whole file of at most `bytes_max`.
pub(crate) fn read_bounded(path: &Path, bytes_max: usize) -> Result<Vec<u8>, FileError> {
    let read = || read_all(File::open(path)?, bytes_max);
    read().map_err(FileError::at(path))
}

/// The same; for `-`, all of stdin.
pub(crate) fn read_bounded_or_stdin(path: &Path, bytes_max: usize) -> Result<Vec<u8>, FileError> {
    if path == Path::new("-") {
        return read_all(io::stdin().lock(), bytes_max).map_err(FileError::at(path));
    }
    read_bounded(path, bytes_max)
}

fn read_all(from: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more byte shows that it is longer.
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    from.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let too_large = TooLarge { bytes_max };
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, too_large));
    }
    Ok(bytes)
}

/// Replaces a file by another content: whoever reads it sees the old one or the new one, whole.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let write = || {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let beside = PathBuf::from(name);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder_of(path))?.sync_all()
    };
    write().map_err(FileError::at(path))
}

/// The folder that a file is in, or is to be in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace(&path, b"one", 0o600).unwrap();
        replace(&path, b"two", 0o600).unwrap();
        assert_eq!(read_bounded(&path, 3).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_larger_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        replace(&path, &[0; 9], 0o600).unwrap();
        let refused = read_bounded(&path, 8).unwrap_err();
        assert_eq!(
            (refused.code(), refused.exit()),
            (Code::TOO_LARGE, Exit::No)
        );
        let causes: Vec<Said> = Failure::from(refused).causes().skip(1).collect();
        let told = Said::new("文件超过 8 字节", "the file has more than 8 bytes");
        assert_eq!(causes, [told]);
        assert!(
            read_bounded(&folder.path().join("b"), 8)
                .unwrap_err()
                .is_missing()
        );
    }
}
