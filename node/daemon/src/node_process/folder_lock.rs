//! The lock on a data folder. The process that uses the folder holds it for as long as it lives, however
//! it ends: so it says of a node that was killed what the files it left do not.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::data_folder::DataFolderError;

/// Held by the process that uses the folder.
const LOCK_FILE: &str = "lock";

/// Whoever looks whether it is held shares it for a moment: that is no second process.
const TRIES_MAX: usize = 10;
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Takes the lock of a folder for this process.
pub(super) fn lock(path: &Path) -> Result<File, DataFolderError> {
    lock_after(path, |_| sleep(TRY_EVERY))
}

/// Takes the lock; what is done between two tries is told how many there were.
fn lock_after(path: &Path, mut rest: impl FnMut(usize)) -> Result<File, DataFolderError> {
    let unusable = |source| DataFolderError::Unusable {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path.join(LOCK_FILE)).map_err(unusable)?;
    for tries in 1..=TRIES_MAX {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => rest(tries),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
    }
    Err(DataFolderError::InUse {
        path: path.to_owned(),
    })
}

/// Whether a process uses a folder. Where the lock is not for these eyes, what the folder says is taken
/// for true.
pub(super) fn is_held(path: &Path) -> bool {
    match OpenOptions::new().read(true).open(path.join(LOCK_FILE)) {
        Ok(lock) => matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_as_long_as_a_process_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held(folder.path()));
        let held = lock(folder.path()).unwrap();
        assert!(is_held(folder.path()));
        drop(held);
        assert!(!is_held(folder.path()));
    }

    #[test]
    fn a_look_at_the_lock_does_not_keep_a_node_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        drop(lock(folder.path()).unwrap());
        let look = File::open(folder.path().join(LOCK_FILE)).unwrap();
        look.try_lock_shared().unwrap();
        let mut look = Some(look);
        let taken = lock_after(folder.path(), |tries| {
            if tries == TRIES_MAX - 1 {
                look = None;
            }
        });
        drop(taken.unwrap());
    }

    #[test]
    fn a_folder_that_another_process_uses_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let _used = lock(folder.path()).unwrap();
        let refused = lock_after(folder.path(), |_| {});
        assert!(matches!(refused, Err(DataFolderError::InUse { .. })));
    }
}
