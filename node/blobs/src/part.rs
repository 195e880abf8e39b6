//! A file that grows: bytes go to the page cache, are made durable in the background while more come,
//! and only what is durable counts after a restart.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;

use crate::files;
use crate::limits::UNSYNCED_BYTES;
use crate::offsets::Offsets;

/// The files of one growing file, all beginning with one path.
#[derive(Clone, Debug)]
pub(crate) struct PartPaths {
    /// The bytes.
    pub(crate) bytes: PathBuf,
    /// The hash pairs of its tree, where it is received with proofs.
    pub(crate) tree: PathBuf,
    /// How far it is durable.
    pub(crate) offsets: PathBuf,
}

impl PartPaths {
    pub(crate) fn of(folder: &Path, name: &str) -> Self {
        Self {
            bytes: folder.join(format!("{name}.part")),
            tree: folder.join(format!("{name}.tree")),
            offsets: folder.join(format!("{name}.at")),
        }
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        files::remove(&self.bytes)?;
        files::remove(&self.tree)?;
        files::remove(&self.offsets)
    }
}

/// The open files of a growing file, for readers beside the writer.
#[derive(Clone, Debug)]
pub(crate) struct OpenedPart(Arc<Synced>);

impl OpenedPart {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &File {
        &self.0.bytes
    }

    /// The tree.
    pub(crate) fn tree(&self) -> &File {
        self.0.tree.as_ref().expect("what is received has a tree")
    }
}

/// A growing file.
#[derive(Debug)]
pub(crate) struct Part {
    synced: Arc<Synced>,
    written: u64,
}

#[derive(Debug)]
struct Synced {
    bytes: File,
    tree: Option<File>,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    offsets: Offsets,
    durable: u64,
    /// The disk failed: what it dropped is not known, so nothing more is taken.
    failed: bool,
}

impl Part {
    /// Begins one, with a tree beside it if it comes with proofs.
    pub(crate) fn create(paths: &PartPaths, with_tree: bool) -> io::Result<Self> {
        let bytes = files::create(&paths.bytes)?;
        let tree = with_tree.then(|| files::create(&paths.tree)).transpose()?;
        let offsets = Offsets::create(&paths.offsets)?;
        files::sync_folder(paths.bytes.parent().expect("a file lies in a folder"))?;
        Ok(Self::of(bytes, tree, offsets, 0))
    }

    /// Takes one up again after a restart; what was not durable is cut.
    pub(crate) fn open(paths: &PartPaths, with_tree: bool) -> io::Result<Self> {
        let bytes = files::open(&paths.bytes, false)?;
        let tree = with_tree
            .then(|| files::open(&paths.tree, false))
            .transpose()?;
        let (offsets, noted) = Offsets::open(&paths.offsets)?;
        // Bytes that are durable cannot be fewer than was noted, unless somebody cut the file.
        let durable = noted.min(bytes.metadata()?.len());
        bytes.set_len(durable)?;
        Ok(Self::of(bytes, tree, offsets, durable))
    }

    fn of(bytes: File, tree: Option<File>, offsets: Offsets, durable: u64) -> Self {
        let progress = Mutex::new(Progress {
            offsets,
            durable,
            failed: false,
        });
        let synced = Arc::new(Synced {
            bytes,
            tree,
            progress,
        });
        Self {
            synced,
            written: durable,
        }
    }

    /// Bytes taken so far.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// The tree, where there is one.
    pub(crate) fn tree(&self) -> Option<&File> {
        self.synced.tree.as_ref()
    }

    /// Its files, held open: they can be read also after they got other names.
    pub(crate) fn opened(&self) -> OpenedPart {
        OpenedPart(Arc::clone(&self.synced))
    }

    /// Takes bytes at the end; not durable yet.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.synced.bytes.write_all_at(bytes, self.written)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Lets go of what lies beyond an offset.
    pub(crate) fn back_to(mut self, offset: u64) -> io::Result<Self> {
        if offset < self.written {
            self.synced.bytes.set_len(offset)?;
            self.synced.progress().durable = offset;
            self.written = offset;
        }
        Ok(self)
    }

    /// Begins to make what was taken durable, if there is much of it and nothing is on its way.
    pub(crate) fn push(&self) -> io::Result<()> {
        let Ok(progress) = self.synced.progress.try_lock() else {
            return Ok(());
        };
        if progress.failed {
            return Err(io::Error::other("an earlier sync failed"));
        }
        if self.written - progress.durable.min(self.written) < UNSYNCED_BYTES {
            return Ok(());
        }
        drop(progress);
        let (synced, upto) = (Arc::clone(&self.synced), self.written);
        drop(spawn_blocking(move || {
            if let Err(error) = synced.sync_to(upto) {
                tracing::warn!(%error, "a file that comes in cannot be made durable");
            }
        }));
        Ok(())
    }

    /// Makes all that was taken durable and returns how much that is.
    pub(crate) fn sync(&self) -> io::Result<u64> {
        self.synced.sync_to(self.written)?;
        Ok(self.written)
    }
}

impl Synced {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_to(&self, offset: u64) -> io::Result<()> {
        let mut progress = self.progress();
        if progress.failed {
            return Err(io::Error::other("an earlier sync failed"));
        }
        if progress.durable >= offset {
            return Ok(());
        }
        let synced = self
            .bytes
            .sync_data()
            .and_then(|()| self.tree.as_ref().map_or(Ok(()), File::sync_data))
            .and_then(|()| progress.offsets.note(offset));
        match synced {
            Ok(()) => progress.durable = offset,
            Err(_) => progress.failed = true,
        }
        synced
    }
}
