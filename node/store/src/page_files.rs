//! The files the bytes of pages stand in. Pages are only ever appended, and durable before the engine is told
//! where they stand, so that whatever it comes back with after a power cut is there whole. What was written
//! again elsewhere stays behind as dead bytes, until nothing of a file is left and it is removed. No engine here:
//! what is live is told by who writes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use crate::folder::sync_path;
use crate::limits::APPENDED_AT_ONCE_BYTES;
use crate::page_place::{FileNumber, PagePlace};

/// The end of a file's name, behind its number.
const NAME_END: &str = ".pages";

/// Live bytes of files; of one that is not named nothing is live.
pub(crate) type LiveBytes = BTreeMap<FileNumber, u64>;

/// All files of pages. Only one thread writes at a time, whoever has the turn to write to the engine.
pub(crate) struct PageFiles {
    folder: PathBuf,
    files: RwLock<BTreeMap<FileNumber, PageFile>>,
    /// A file that has grown so long is not appended to any more.
    file_bytes_max: u64,
}

struct PageFile {
    file: Arc<File>,
    /// Its length; what a write left behind that failed or was killed counts as dead.
    bytes: u64,
    live: u64,
}

impl PageFile {
    fn dead(&self) -> u64 {
        self.bytes.saturating_sub(self.live)
    }
}

impl PageFiles {
    /// Opens those of a folder, which is made where there is none; an error of the kind
    /// [`io::ErrorKind::InvalidData`] where one that has live bytes is not there or too short for them.
    pub(crate) fn open(folder: &Path, file_bytes_max: u64, live: &LiveBytes) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Some(number) = entry.file_name().to_str().and_then(number_of) else {
                continue;
            };
            let file = File::options().read(true).write(true).open(entry.path())?;
            let held = PageFile {
                bytes: file.metadata()?.len(),
                file: Arc::new(file),
                live: live.get(&number).copied().unwrap_or_default(),
            };
            files.insert(number, held);
        }
        let is_there = |(number, live): (&FileNumber, &u64)| {
            let held: Option<&PageFile> = files.get(number);
            held.is_some_and(|held| held.bytes >= *live)
        };
        if !live.iter().all(is_there) {
            return Err(missing());
        }
        Ok(Self {
            folder: folder.to_owned(),
            files: RwLock::new(files),
            file_bytes_max,
        })
    }

    /// Appends pages and makes them durable; where each of them stands, in their order. None of them is live
    /// before [`PageFiles::settle`] says so.
    pub(crate) fn append<'p>(
        &self,
        pages: impl IntoIterator<Item = &'p Bytes>,
    ) -> io::Result<Vec<PagePlace>> {
        let mut pages = pages.into_iter().peekable();
        if pages.peek().is_none() {
            return Ok(Vec::new());
        }
        let (number, file, begin) = self.current()?;
        let mut places = Vec::new();
        let mut gathered = Vec::with_capacity(APPENDED_AT_ONCE_BYTES);
        let mut end = begin;
        for page in pages {
            if gathered.len() + page.len() > APPENDED_AT_ONCE_BYTES {
                file.write_all_at(&gathered, end - gathered.len() as u64)?;
                gathered.clear();
            }
            places.push(PagePlace {
                file: number,
                at: in_file(end)?,
                bytes: in_file(page.len() as u64)?,
                sum: crc32c::crc32c(page),
            });
            gathered.extend_from_slice(page);
            end += page.len() as u64;
        }
        file.write_all_at(&gathered, end - gathered.len() as u64)?;
        file.sync_data()?;
        if let Some(held) = self.files_mut().get_mut(&number) {
            held.bytes = end;
        }
        Ok(places)
    }

    /// The file that is appended to, and where it ends. When the last one is full another is begun, whose name is
    /// durable before anything stands in it.
    fn current(&self) -> io::Result<(FileNumber, Arc<File>, u64)> {
        let last = self.files().last_key_value().map(|(number, held)| {
            let file = Arc::clone(&held.file);
            (*number, file, held.bytes)
        });
        let number = match last {
            Some(last) if last.2 < self.file_bytes_max => return Ok(last),
            Some((FileNumber(last), ..)) => FileNumber(last.checked_add(1).ok_or_else(too_large)?),
            None => FileNumber(0),
        };
        let path = self.path_of(number);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        sync_path(&self.folder)?;
        let file = Arc::new(file);
        let held = PageFile {
            file: Arc::clone(&file),
            bytes: 0,
            live: 0,
        };
        self.files_mut().insert(number, held);
        Ok((number, file, 0))
    }

    /// The bytes at a place; an error of the kind [`io::ErrorKind::InvalidData`] where they are others than were
    /// written.
    pub(crate) fn read(&self, place: PagePlace) -> io::Result<Bytes> {
        let file = self
            .files()
            .get(&place.file)
            .map(|held| Arc::clone(&held.file));
        let file = file.ok_or_else(missing)?;
        let mut bytes = vec![0; place.bytes as usize];
        file.read_exact_at(&mut bytes, u64::from(place.at))?;
        if crc32c::crc32c(&bytes) == place.sum {
            Ok(Bytes::from(bytes))
        } else {
            Err(wrong("a page is not what was written"))
        }
    }

    /// What is live of each file that changes, once pages stand at some places and no more at others; an error of the
    /// kind [`io::ErrorKind::InvalidData`] where more would go from a file than was live of it.
    pub(crate) fn reckon(
        &self,
        written: &[PagePlace],
        freed: &[PagePlace],
    ) -> io::Result<LiveBytes> {
        let files = self.files();
        let before = |number: FileNumber| files.get(&number).map_or(0, |held| held.live);
        let mut live = LiveBytes::new();
        for place in written {
            let of_file = live.entry(place.file).or_insert_with(|| before(place.file));
            *of_file += u64::from(place.bytes);
        }
        for place in freed {
            let of_file = live.entry(place.file).or_insert_with(|| before(place.file));
            let left = of_file.checked_sub(u64::from(place.bytes));
            *of_file = left.ok_or_else(|| wrong("more goes from a file of pages than it had"))?;
        }
        Ok(live)
    }

    /// Takes over what was reckoned, once the engine has it.
    pub(crate) fn settle(&self, live: &LiveBytes) {
        let mut files = self.files_mut();
        for (number, live) in live {
            if let Some(held) = files.get_mut(number) {
                held.live = *live;
            }
        }
    }

    /// Files of which nothing is live and to which nothing is appended any more. They may be removed once the
    /// engine, as it is now, is durable.
    pub(crate) fn dead(&self) -> Vec<FileNumber> {
        let files = self.files();
        let last = files.last_key_value().map(|(number, _)| *number);
        let is_dead =
            |(number, held): &(&FileNumber, &PageFile)| held.live == 0 && Some(**number) != last;
        files
            .iter()
            .filter(is_dead)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Removes files. That need not be durable: nothing is live in one that comes back. One that stays is tried again.
    pub(crate) fn remove(&self, numbers: &[FileNumber]) {
        for number in numbers {
            match fs::remove_file(self.path_of(*number)) {
                // Or another sync that ended meanwhile has removed it.
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%cause, number = number.0, "a file of pages that nothing needs is not removed");
                }
                _ => drop(self.files_mut().remove(number)),
            }
        }
    }

    /// Whether anything is live of a file.
    pub(crate) fn has_live(&self, number: FileNumber) -> bool {
        self.files().get(&number).is_some_and(|held| held.live > 0)
    }

    /// The file with the most dead bytes, when there are more of them in all than live ones and a file besides:
    /// what is live of it is to be appended anew, so that it may go. The bound is also that on what is written for
    /// it, a byte for each that has died.
    pub(crate) fn to_compact(&self) -> Option<FileNumber> {
        let files = self.files();
        let last = files.last_key_value().map(|(number, _)| *number);
        let left = || files.iter().filter(|(_, held)| held.live > 0);
        let live: u64 = left().map(|(_, held)| held.live).sum();
        let dead: u64 = left().map(|(_, held)| held.dead()).sum();
        if dead <= live + self.file_bytes_max {
            return None;
        }
        let (number, _) = left()
            .filter(|(number, _)| Some(**number) != last)
            .max_by_key(|(_, held)| held.dead())?;
        Some(*number)
    }

    fn path_of(&self, number: FileNumber) -> PathBuf {
        self.folder.join(format!("{:010}{NAME_END}", number.0))
    }

    fn files(&self) -> RwLockReadGuard<'_, BTreeMap<FileNumber, PageFile>> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn files_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<FileNumber, PageFile>> {
        // Nothing under this lock can panic but for want of memory.
        self.files.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number_of(name: &str) -> Option<FileNumber> {
    let number = name.strip_suffix(NAME_END)?.parse();
    number.ok().map(FileNumber)
}

fn in_file(number: u64) -> io::Result<u32> {
    u32::try_from(number).map_err(|_| too_large())
}

fn too_large() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

fn missing() -> io::Error {
    wrong("pages are missing")
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
