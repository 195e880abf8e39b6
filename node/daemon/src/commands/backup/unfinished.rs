//! A backup under way: a file beside the name it is to bear, held for as long as its process lives, however that
//! ends. So what a process left that was killed is told from what one writes, and the next backup into the same
//! folder clears it away.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tongban_runtime::CheckedBackup;
use tongban_runtime::seams::Entropy as _;

use super::source::check_open;
use crate::failure::Failure;
use crate::files::{FileError, folder_of};
use crate::platform::OsEntropy;

/// How the name of one ends, behind digits that were drawn for it. Nobody else gives a file such a name.
const END: &str = ".tongban-unfinished";

/// No two are ever given the same ones.
const DIGITS: usize = 16;

/// A backup that does not bear its name yet; gone with this value unless it was finished.
pub(super) struct Unfinished {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Unfinished {
    /// Begins one beside the name it is to bear.
    pub(super) fn begin(name: &Path) -> Result<Self, FileError> {
        loop {
            let path = beside(name);
            let mut options = File::options();
            let options = options.read(true).write(true).create_new(true).mode(0o600);
            let file = options.open(&path).map_err(FileError::at(&path))?;
            if is_held(&file, &path) {
                let file = BufWriter::new(file);
                return Ok(Self { path, file });
            }
        }
    }

    /// Takes some of it.
    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Ends it: it is read again and, if it is whole, takes the name it is given then.
    pub(super) fn finish(
        mut self,
        name: impl FnOnce(&CheckedBackup) -> Result<PathBuf, Failure>,
    ) -> Result<(PathBuf, CheckedBackup), Failure> {
        let written = self.file.flush();
        let file = self.file.get_mut();
        let durable = written.and_then(|()| file.sync_all());
        let rewound = durable.and_then(|()| file.rewind());
        rewound.map_err(FileError::at(&self.path))?;
        // By the same handle: where a file that is held is read by nobody else, one opened anew is somebody else's.
        let checked = check_open(file)?;
        let name = name(&checked)?;
        fs::rename(&self.path, &name).map_err(FileError::at(&name))?;
        let folder = folder_of(&name);
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(FileError::at(folder))?;
        Ok((name, checked))
    }
}

impl Drop for Unfinished {
    /// What is not whole goes; what took its name is gone from there already.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Clears away what interrupted backups left in a folder: files of such a name that no process holds. What cannot
/// be looked at or removed stays. Says what went.
pub(super) fn clear_left_behind(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let ours = files.filter(|entry| is_unfinished(&entry.file_name()));
    let paths = ours.map(|entry| entry.path());
    paths.filter(|path| is_cleared(path)).collect()
}

fn beside(name: &Path) -> PathBuf {
    let digits: [u8; DIGITS / 2] = OsEntropy.array();
    let mut beside = name.as_os_str().to_owned();
    beside.push(format!(".{}{END}", HEXLOWER.encode(&digits)));
    PathBuf::from(beside)
}

fn is_unfinished(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let before = name.strip_suffix(END);
    let digits = before.and_then(|before| before.rsplit_once('.'));
    digits.is_some_and(|(_, digits)| {
        digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Whether a file is this process's from now on. Whoever clears away may have come between its making and this.
fn is_held(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        // Where files cannot be locked, none is taken for left behind.
        Ok(()) | Err(TryLockError::Error(_)) => !matches!(path.try_exists(), Ok(false)),
    }
}

/// Whether a file was held by nobody and is gone. It is held meanwhile, so that whoever just made it makes another.
fn is_cleared(path: &Path) -> bool {
    // Over a network only a file that is open for writing can be held so.
    let Ok(file) = File::options().write(true).open(path) else {
        return false;
    };
    file.try_lock().is_ok() && fs::remove_file(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_cleared_away_and_what_is_held_or_of_others_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("node.backup");
        let (held, left) = (Unfinished::begin(&name).unwrap(), beside(&name));
        fs::write(&left, "half of it").unwrap();
        let others = [
            "node.backup",
            "node.backup.1.tmp",
            "notes.tongban-unfinished",
            "notes.00112233445566.tongban-unfinished",
            "notes.0011223344556677.tongban-unfinished.old",
        ];
        for other in others {
            fs::write(folder.path().join(other), "").unwrap();
        }
        fs::create_dir(beside(&name)).unwrap();
        assert_eq!(clear_left_behind(folder.path()), [left]);
        assert!(held.path.exists());
        let there = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(there(), others.len() + 2);
        drop(held);
        assert_eq!(there(), others.len() + 1);
        assert!(clear_left_behind(folder.path()).is_empty());
        assert!(clear_left_behind(&name).is_empty(), "it is no folder");
    }

    #[test]
    fn one_that_is_taken_away_before_it_is_held_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("node.backup"));
        let made = File::create(&path).unwrap();
        let clearing = File::options().write(true).open(&path).unwrap();
        clearing.try_lock().unwrap();
        assert!(!is_held(&made, &path));
        fs::remove_file(&path).unwrap();
        drop(clearing);
        assert!(!is_held(&made, &path));
    }
}
