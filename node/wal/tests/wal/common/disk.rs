//! A disk in memory. Every change is journalled with the moment its sync began and ended, so that
//! `image` can tell what a power cut at any step may leave.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use tongban_runtime::seams::{Disk, DiskFile};

use super::random::Random;

/// A change, in the order in which it reached the disk. Files are numbered as they were created.
#[derive(Clone, Debug)]
pub enum Change {
    Create {
        name: String,
        file: usize,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
    /// All changes of names before step `began` are durable.
    FolderSynced {
        began: usize,
    },
    Resize {
        file: usize,
        length: u64,
    },
    Write {
        file: usize,
        offset: u64,
        bytes: Vec<u8>,
    },
    /// All changes of the file before step `began` are durable.
    Synced {
        file: usize,
        began: usize,
    },
}

/// Which promise the disk breaks, silently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    #[default]
    None,
    /// Syncs of segments do nothing.
    SegmentSync,
    /// Syncs of the checkpoint do nothing.
    CheckpointSync,
    /// Syncs of the folder do nothing.
    FolderSync,
}

#[derive(Debug, Default)]
struct Content {
    names: BTreeMap<String, usize>,
    files: Vec<(String, Vec<u8>)>,
    journal: Vec<Change>,
    lie: Lie,
    random: Option<Random>,
    /// Changes left until every write and sync fails.
    changes_left: Option<usize>,
    /// Whether the next removal panics.
    removal_panics: bool,
}

/// The disk; clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Content>>);

/// An open file of it.
#[derive(Clone, Debug)]
pub struct MemoryFile {
    disk: MemoryDisk,
    file: usize,
}

impl MemoryDisk {
    /// A disk with these durable files, whose syncs take a random number of turns.
    pub fn new(files: BTreeMap<String, Vec<u8>>, seed: u64, lie: Lie) -> Self {
        let mut content = Content {
            lie,
            random: Some(Random(seed)),
            ..Content::default()
        };
        for (name, bytes) in files {
            content.names.insert(name.clone(), content.files.len());
            content.files.push((name, bytes));
        }
        Self(Arc::new(Mutex::new(content)))
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0
            .lock()
            .expect("no test panics while it holds the disk")
    }

    /// How many changes there were.
    pub fn steps(&self) -> usize {
        self.lock().journal.len()
    }

    pub fn journal(&self) -> Vec<Change> {
        self.lock().journal.clone()
    }

    /// The files as a process that starts now sees them.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let content = self.lock();
        let file = |(name, file): (&String, &usize)| (name.clone(), content.files[*file].1.clone());
        content.names.iter().map(file).collect()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> usize {
        self.files().values().map(Vec::len).sum()
    }

    /// Changes a file behind the back of whoever has it open.
    pub fn corrupt(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut content = self.lock();
        let file = content.names[name];
        change(&mut content.files[file].1);
    }

    /// After `changes` more, every write and sync fails.
    pub fn fail_after(&self, changes: usize) {
        self.lock().changes_left = Some(changes);
    }

    /// The next removal of a file panics.
    pub fn panic_once(&self) {
        self.lock().removal_panics = true;
    }

    /// Whether that has happened.
    pub fn has_panicked(&self) -> bool {
        !self.lock().removal_panics
    }

    async fn turns(&self) {
        let turns = match &mut self.lock().random {
            Some(random) => random.below(4),
            None => 0,
        };
        // As the callers of the log yield, so that a turn here is a turn of theirs.
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}

impl Content {
    fn change(&mut self, change: Change) -> io::Result<()> {
        if let Some(left) = &mut self.changes_left {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("no longer"))?;
        }
        self.journal.push(change);
        Ok(())
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        let found = self.names.get(name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for MemoryDisk {
    type File = MemoryFile;

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let file = self.lock().find(name)?;
        Ok(MemoryFile {
            disk: self.clone(),
            file,
        })
    }

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let mut content = self.lock();
        if content.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = content.files.len();
        let named = name.to_owned();
        content.change(Change::Create { name: named, file })?;
        content.files.push((name.to_owned(), Vec::new()));
        content.names.insert(name.to_owned(), file);
        Ok(MemoryFile {
            disk: self.clone(),
            file,
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut content = self.lock();
        let file = content.find(from)?;
        content.change(Change::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        })?;
        content.names.remove(from);
        content.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let panics = std::mem::take(&mut self.lock().removal_panics);
        assert!(!panics, "as it was asked to");
        let mut content = self.lock();
        content.find(name)?;
        let named = name.to_owned();
        content.change(Change::Remove { name: named })?;
        content.names.remove(name);
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let content = self.lock();
        let within = |name: &String| Some(name.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        Ok(content.names.keys().filter_map(within).collect())
    }

    async fn sync_folder(&self, _folder: &str) -> io::Result<()> {
        let began = self.steps();
        self.turns().await;
        let mut content = self.lock();
        let began = if content.lie == Lie::FolderSync {
            0
        } else {
            began
        };
        content.change(Change::FolderSynced { began })
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files[self.file].1.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let content = self.disk.lock();
        let bytes = &content.files[self.file].1;
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let found = bytes.get(from..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut content = self.disk.lock();
        content.change(Change::Write {
            file: self.file,
            offset,
            bytes: bytes.to_vec(),
        })?;
        super::image::write(&mut content.files[self.file].1, offset, bytes);
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.len()?;
        self.write_at(offset, bytes)?;
        Ok(offset)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        if length > self.len()? {
            self.truncate(length)?;
        }
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut content = self.disk.lock();
        content.change(Change::Resize {
            file: self.file,
            length,
        })?;
        super::image::resize(&mut content.files[self.file].1, length);
        Ok(())
    }

    async fn sync(&self) -> io::Result<()> {
        let began = self.disk.steps();
        self.disk.turns().await;
        let mut content = self.disk.lock();
        let name = &content.files[self.file].0;
        let lies = match content.lie {
            Lie::SegmentSync => !name.contains("checkpoint"),
            Lie::CheckpointSync => name.contains("checkpoint"),
            Lie::None | Lie::FolderSync => false,
        };
        let began = if lies { 0 } else { began };
        content.change(Change::Synced {
            file: self.file,
            began,
        })
    }
}
