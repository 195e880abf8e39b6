//! A disk in memory that remembers what was not synced, so that the power can be cut.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tongban_runtime::seams::{Disk, DiskFile};

/// The disk; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryDisk {
    files: Arc<Mutex<BTreeMap<String, MemoryFile>>>,
    broken: Arc<AtomicBool>,
    stuck: watch::Sender<bool>,
}

/// An open file of it.
#[derive(Clone, Debug)]
pub(crate) struct MemoryFile {
    content: Arc<Mutex<Content>>,
    broken: Arc<AtomicBool>,
    stuck: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// What each write since the last sync replaced: the length before, the offset, the bytes.
    unsynced: Vec<(usize, usize, Vec<u8>)>,
}

impl MemoryDisk {
    /// What a power cut now would leave, on a new disk.
    pub(crate) fn after_power_cut(&self) -> Self {
        let survivor = Self::default();
        for (name, file) in self.files.lock().unwrap().iter() {
            let content = file.content.lock().unwrap();
            let mut bytes = content.bytes.clone();
            for (length, offset, replaced) in content.unsynced.iter().rev() {
                bytes[*offset..*offset + replaced.len()].copy_from_slice(replaced);
                bytes.resize(*length, 0);
            }
            let content = Content {
                bytes,
                unsynced: Vec::new(),
            };
            let file = survivor.file(content);
            survivor.files.lock().unwrap().insert(name.clone(), file);
        }
        survivor
    }

    /// From now on every write and sync fails.
    pub(crate) fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Syncs do not end as long as the disk is stuck.
    pub(crate) fn stick(&self, stuck: bool) {
        self.stuck.send_replace(stuck);
    }

    fn file(&self, content: Content) -> MemoryFile {
        MemoryFile {
            content: Arc::new(Mutex::new(content)),
            broken: Arc::clone(&self.broken),
            stuck: self.stuck.clone(),
        }
    }
}

impl MemoryFile {
    fn change(&self, offset: usize, length: usize, new: &[u8]) -> io::Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        let mut content = self.content.lock().unwrap();
        let before = content.bytes.len();
        let replaced_end = (offset + new.len()).max(length.min(before)).min(before);
        let from = offset.min(before);
        let replaced = content.bytes[from..replaced_end.max(from)].to_vec();
        content.unsynced.push((before, from, replaced));
        if content.bytes.len() < offset + new.len() {
            content.bytes.resize(offset + new.len(), 0);
        }
        content.bytes[offset..offset + new.len()].copy_from_slice(new);
        Ok(())
    }
}

impl Disk for MemoryDisk {
    type File = MemoryFile;

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let files = self.files.lock().unwrap();
        files
            .get(name)
            .cloned()
            .ok_or(io::ErrorKind::NotFound.into())
    }

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let mut files = self.files.lock().unwrap();
        if files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = self.file(Content::default());
        files.insert(name.to_owned(), file.clone());
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files.lock().unwrap();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let removed = self.files.lock().unwrap().remove(name);
        removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let files = self.files.lock().unwrap();
        let within = |name: &String| Some(name.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        Ok(files.keys().filter_map(within).collect())
    }

    async fn sync_folder(&self, _folder: &str) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content.lock().unwrap().bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let content = self.content.lock().unwrap();
        let from = usize::try_from(offset).unwrap();
        let found = content.bytes.get(from..from + buffer.len());
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(usize::try_from(offset).unwrap(), 0, bytes)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let end = self.len()?;
        self.write_at(end, bytes)?;
        Ok(end)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        let end = self.len()?;
        let missing = usize::try_from(length.saturating_sub(end)).unwrap();
        self.write_at(end, &vec![0; missing])
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let end = self.len()?;
        if length >= end {
            return self.allocate(length);
        }
        let from = usize::try_from(length).unwrap();
        self.change(from, usize::MAX, &[])?;
        self.content.lock().unwrap().bytes.truncate(from);
        Ok(())
    }

    async fn sync(&self) -> io::Result<()> {
        let mut stuck = self.stuck.subscribe();
        let free = stuck.wait_for(|stuck| !stuck).await;
        free.map_err(|_| io::Error::other("the disk is gone"))?;
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        self.content.lock().unwrap().unsynced.clear();
        Ok(())
    }
}
