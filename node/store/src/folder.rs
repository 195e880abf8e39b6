//! The folder of the store: taken by one store at a time, made durable name by name, and emptied of
//! what the engine wrote, of nothing else.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// The engine's log file, the only one that holds state.
pub(crate) const LOG_NAME: &str = "db";
/// The engine's settings; without them it takes its log for another's.
const SETTINGS_NAME: &str = "conf";
/// Where the engine would put values too large for its log.
pub(crate) const BLOBS_NAME: &str = "blobs";
/// Where the files of pages are.
pub(crate) const PAGES_NAME: &str = "pages";
/// Starts of the names of the engine's index files.
const INDEX_START: &str = "snap.";
/// Ends of the names of index files that are not finished. The engine would take one for its
/// newest index, find it cut short and refuse to open; the finished one before it is still there.
const UNFINISHED_END: &str = ".generating";
/// A folder in which the engine writes its next index; of no use once that is done.
const INDEXING_NAME: &str = "indexing";
/// Holds the lock of the store that has the folder.
const LOCK_NAME: &str = "lock";
/// Says that the content must not be used again, and why.
const CONDEMNED_NAME: &str = "condemned";
/// Says that a power cut could tear the content, and names the start of the machine under which that is so.
const UNSYNCED_NAME: &str = "unsynced";
/// Names one start of the machine, to all that runs on it.
const BOOT_PATH: &str = "/proc/sys/kernel/random/boot_id";

/// A folder held by one store for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Folders in which a name on the way to this one may be new, innermost first.
    parents: Vec<PathBuf>,
    _lock: File,
}

impl Folder {
    /// Makes the folder where there is none and takes it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Folder {
            path: path.to_owned(),
            cause,
        };
        let path = std::path::absolute(path).map_err(unusable)?;
        let parents = parents_to_sync(&path);
        fs::create_dir_all(&path).map_err(unusable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_NAME))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                parents,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an engine ever wrote here.
    pub(crate) fn has_engine_files(&self) -> io::Result<bool> {
        Ok(!self.engine_names()?.is_empty())
    }

    /// Why the content must not be used, if an earlier store said so.
    pub(crate) fn condemned(&self) -> io::Result<Option<String>> {
        let reason = self.read(CONDEMNED_NAME)?;
        Ok(reason.map(|reason| String::from_utf8_lossy(&reason).into_owned()))
    }

    /// Why the content may be torn: the machine has started since a mark was left. A process that ended
    /// took nothing from the system that it had written.
    pub(crate) fn torn(&self) -> io::Result<Option<String>> {
        let Some(marked) = self.read(UNSYNCED_NAME)? else {
            return Ok(None);
        };
        // Where the machine does not tell its starts apart, each counts as another one.
        if boot().is_some_and(|boot| boot == marked) {
            return Ok(None);
        }
        let reason = "the machine stopped while more was on its way to the disk than is sure to come there whole";
        Ok(Some(reason.to_owned()))
    }

    /// Says durably that from now on a power cut could tear the content.
    pub(crate) fn mark_unsynced(&self) -> io::Result<()> {
        let path = self.path.join(UNSYNCED_NAME);
        fs::write(&path, boot().unwrap_or_default())?;
        sync_path(&path)?;
        sync_path(&self.path)
    }

    /// Takes that back.
    pub(crate) fn unmark_unsynced(&self) -> io::Result<()> {
        self.remove(UNSYNCED_NAME)
    }

    /// Reads a file that need not be there.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Removes a file that need not be there, durably.
    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Ok(()) => sync_path(&self.path),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(cause),
        }
    }

    /// Readies the engine's files for an opening that may itself be cut short: without unfinished
    /// index files, and with all of the log durable, since the index that the engine writes first
    /// thing must not be ahead of it.
    pub(crate) fn ready(&self) -> io::Result<()> {
        for name in self.engine_names()? {
            let path = self.path.join(&name);
            if name.ends_with(UNFINISHED_END) {
                fs::remove_file(path)?;
            } else if name == LOG_NAME {
                sync_path(&path)?;
            }
        }
        sync_path(&self.path)
    }

    /// Makes a folder in which the engine, opened there, writes its next index and then fails with
    /// [`io::ErrorKind::NotADirectory`] before it changes what its log holds: with the log and the index by
    /// second names, the settings, and no folder for large values. `None` where there is no log, or one
    /// that is not to be used, or no file can have a second name; there the engine writes its index as it
    /// is opened.
    pub(crate) fn begin_index(&self) -> io::Result<Option<PathBuf>> {
        let place = self.indexing()?;
        let log = self.path.join(LOG_NAME);
        let blobs = self.path.join(BLOBS_NAME);
        // A log with large values does not read the same without them.
        if !log.exists() || (blobs.is_dir() && has_blobs(&blobs)?) {
            return Ok(None);
        }
        fs::create_dir(&place)?;
        match fs::hard_link(&log, place.join(LOG_NAME)) {
            Ok(()) => {}
            Err(cause)
                if matches!(
                    cause.kind(),
                    io::ErrorKind::Unsupported
                        | io::ErrorKind::PermissionDenied
                        | io::ErrorKind::CrossesDevices
                        | io::ErrorKind::TooManyLinks
                ) =>
            {
                tracing::warn!(%cause, "the index of applied state is not written beforehand");
                fs::remove_dir(&place)?;
                return Ok(None);
            }
            Err(cause) => return Err(cause),
        }
        for name in self.engine_names()? {
            let (from, to) = (self.path.join(&name), place.join(&name));
            if name == SETTINGS_NAME {
                fs::write(to, fs::read(from)?)?;
            } else if is_index(&name) {
                fs::hard_link(from, to)?;
            }
        }
        fs::write(place.join(BLOBS_NAME), [])?;
        Ok(Some(place))
    }

    /// Takes over the index that was written, durably before the one it follows is removed.
    pub(crate) fn end_index(&self) -> io::Result<()> {
        let indexes = |folder: &Path| -> io::Result<Vec<String>> {
            let mut names = engine_names(folder)?;
            names.retain(|name| is_index(name));
            Ok(names)
        };
        let place = self.path.join(INDEXING_NAME);
        let before = indexes(&self.path)?;
        // They are named by where they end, in digits of one length.
        let newest = indexes(&place)?.into_iter().max();
        if let Some(newest) = newest.filter(|newest| !before.contains(newest)) {
            fs::hard_link(place.join(&newest), self.path.join(&newest))?;
            sync_path(&self.path)?;
            for name in before {
                fs::remove_file(self.path.join(name))?;
            }
        }
        self.indexing().map(|_| ())
    }

    /// Where the folder for the next index is to be; there is none there.
    fn indexing(&self) -> io::Result<PathBuf> {
        let place = self.path.join(INDEXING_NAME);
        match fs::remove_dir_all(&place) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            _ => Ok(place),
        }
    }

    /// Removes what the engine wrote: the log first and for good, so that a half-wiped store never
    /// opens; what condemns it last, so that a half-done wipe is done again.
    pub(crate) fn wipe(&self) -> io::Result<()> {
        let mut names = self.engine_names()?;
        names.sort_by_key(|name| name != LOG_NAME);
        for name in names {
            let path = self.path.join(&name);
            if path.is_dir() {
                fs::remove_dir_all(&path)?;
            } else {
                fs::remove_file(&path)?;
            }
            if name == LOG_NAME {
                sync_path(&self.path)?;
            }
        }
        sync_path(&self.path)?;
        self.remove(UNSYNCED_NAME)?;
        self.remove(CONDEMNED_NAME)
    }

    /// Makes the settings and every name from here up durable; the engine does neither.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        sync_path(&self.path.join(SETTINGS_NAME))?;
        sync_path(&self.path.join(BLOBS_NAME))?;
        sync_path(&self.path)?;
        self.parents.iter().try_for_each(|parent| sync_path(parent))
    }

    fn engine_names(&self) -> io::Result<Vec<String>> {
        engine_names(&self.path)
    }
}

fn engine_names(folder: &Path) -> io::Result<Vec<String>> {
    const NAMES: [&str; 5] = [
        LOG_NAME,
        SETTINGS_NAME,
        BLOBS_NAME,
        INDEXING_NAME,
        PAGES_NAME,
    ];
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let Ok(name) = entry?.file_name().into_string() else {
            continue;
        };
        if NAMES.contains(&name.as_str()) || name.starts_with(INDEX_START) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether a name is that of a finished index.
fn is_index(name: &str) -> bool {
    name.starts_with(INDEX_START) && !name.ends_with(UNFINISHED_END)
}

/// Says durably that the content of a store's folder must not be used again.
pub(crate) fn condemn(folder: &Path, reason: &str) -> io::Result<()> {
    let path = folder.join(CONDEMNED_NAME);
    fs::write(&path, reason)?;
    sync_path(&path)?;
    sync_path(folder)
}

/// Whether the engine put values into files beside its log.
pub(crate) fn has_blobs(blobs: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(blobs)?.next().transpose()?.is_some())
}

/// Under which start of the machine this process runs; `None` where that is not told.
fn boot() -> Option<Vec<u8>> {
    fs::read(BOOT_PATH).ok().filter(|boot| !boot.is_empty())
}

pub(crate) fn sync_path(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The folder around `path`, and those around each folder that does not exist yet.
fn parents_to_sync(path: &Path) -> Vec<PathBuf> {
    let mut parents = Vec::new();
    for parent in path.ancestors().skip(1) {
        parents.push(parent.to_owned());
        if parent.exists() {
            break;
        }
    }
    parents
}
