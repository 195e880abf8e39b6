//! Room for files: a quota over all of them, and free space that must stay on the disk. Room is set aside
//! before the first byte comes, so that a file is refused at its beginning and not at its end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tongban_runtime::BlobError;

/// How much files may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceSettings {
    /// Bytes of all files together; without one, what the disk has.
    pub quota_bytes: Option<u64>,
    /// Bytes of the disk that stay free whatever comes: the log and the state live there too.
    pub free_bytes_min: u64,
}

impl Default for SpaceSettings {
    fn default() -> Self {
        Self {
            quota_bytes: None,
            free_bytes_min: 1024 * 1024 * 1024,
        }
    }
}

/// What is taken and what is set aside.
#[derive(Debug)]
pub(crate) struct Space {
    folder: PathBuf,
    settings: SpaceSettings,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Bytes of whole files, and bytes announced of those that come.
    all: u64,
    /// Bytes announced and not written yet.
    ahead: u64,
}

impl Space {
    pub(crate) fn new(folder: &Path, settings: SpaceSettings) -> Self {
        Self {
            folder: folder.to_owned(),
            settings,
            taken: Mutex::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what is found at the start.
    pub(crate) fn found(&self, all: u64, ahead: u64) {
        let mut taken = self.taken();
        taken.all = taken.all.saturating_add(all);
        taken.ahead = taken.ahead.saturating_add(ahead);
    }

    /// Sets room aside, or says that there is none.
    pub(crate) fn set_aside(&self, bytes: u64) -> Result<(), BlobError> {
        let free =
            free_bytes(&self.folder).map_err(|error| BlobError::Failed(error.to_string()))?;
        let mut taken = self.taken();
        let all = taken.all.saturating_add(bytes);
        let ahead = taken.ahead.saturating_add(bytes);
        let is_over = self.settings.quota_bytes.is_some_and(|quota| all > quota);
        if is_over || ahead.saturating_add(self.settings.free_bytes_min) > free {
            return Err(BlobError::NoSpace { bytes });
        }
        (taken.all, taken.ahead) = (all, ahead);
        Ok(())
    }

    /// Bytes that were announced are written.
    pub(crate) fn wrote(&self, bytes: u64) {
        let mut taken = self.taken();
        taken.ahead = taken.ahead.saturating_sub(bytes);
    }

    /// Gives room back: of `all` bytes, `ahead` were never written.
    pub(crate) fn give_back(&self, all: u64, ahead: u64) {
        let mut taken = self.taken();
        taken.all = taken.all.saturating_sub(all);
        taken.ahead = taken.ahead.saturating_sub(ahead);
    }
}

/// Bytes of the folder's disk that this user may still fill.
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(quota_bytes: Option<u64>, free_bytes_min: u64) -> Space {
        let settings = SpaceSettings {
            quota_bytes,
            free_bytes_min,
        };
        Space::new(&std::env::temp_dir(), settings)
    }

    #[test]
    fn a_quota_counts_what_is_announced_and_what_is_given_back() {
        let space = space(Some(100), 0);
        space.found(30, 0);
        space.set_aside(60).unwrap();
        assert_eq!(space.set_aside(11), Err(BlobError::NoSpace { bytes: 11 }));
        space.set_aside(10).unwrap();
        space.give_back(60, 60);
        space.set_aside(60).unwrap();
    }

    #[test]
    fn free_space_that_must_stay_is_not_given_away() {
        let free = free_bytes(&std::env::temp_dir()).unwrap();
        let tight = space(None, free.saturating_mul(2));
        assert!(matches!(tight.set_aside(1), Err(BlobError::NoSpace { .. })));
        let loose = space(None, 0);
        assert!(loose.set_aside(1).is_ok());
        assert!(loose.set_aside(free.saturating_mul(2)).is_err());
    }
}
