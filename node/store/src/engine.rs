//! sled as this store uses it: how it is opened, what makes it durable, and whether what it opened
//! is ours and whole. Nothing but this and its pages calls sled.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::thread;
use std::time::Duration;

use crate::bounds::Bounds;
use crate::error::{SledStoreError, is_of_the_machine};
use crate::failure::{Failure, attempt, chain};
use crate::folder::{self, BLOBS_NAME, Folder, LOG_NAME, PAGES_NAME};
use crate::keys;
use crate::known_pages::KnownPages;
use crate::limits::{ENGINE_BYTES_PART, KNOWN_BYTES_PART, LOCK_RETRY_MS, SEGMENT_BYTES};
use crate::page_files::{LiveBytes, PageFiles};
use crate::pages::Pages;
use crate::work::EngineWork;

/// An open engine. There are no clones of it, nor of what is inside: one left over would keep the
/// engine from closing.
pub(crate) struct Engine {
    tree: sled::Db,
    /// Those of its pages that are at hand. They go with it. One opened anew holds the same, but to keep
    /// them would let all that is read rest on that for as long as the process lives, only to spare
    /// reading them again when so much of log was written.
    known: RwLock<KnownPages>,
    /// Where the bytes of its pages stand.
    files: PageFiles,
    log: File,
    blobs: PathBuf,
    /// Where its log ended when it was opened.
    opened_at: sled::Lsn,
}

/// Why an engine did not open.
#[derive(Debug)]
pub(crate) enum Unopened {
    /// Somebody has its file locked.
    Locked,
    /// The machine refuses: space, permissions, open files. Says nothing about the content.
    Machine(io::Error),
    /// The engine does not take what it finds.
    Content(SledStoreError),
}

impl Engine {
    /// Opens the engine on whatever the folder holds, creating it if need be, with no page at hand, and tries for
    /// its lock up to `lock_tries_max` times. The index it writes at that is durable before it frees anything.
    pub(crate) fn open(
        folder: &Folder,
        bounds: Bounds,
        lock_tries_max: u32,
    ) -> Result<Self, Unopened> {
        let cache_bytes = bounds.cache_bytes / ENGINE_BYTES_PART;
        write_index(folder, cache_bytes, lock_tries_max)?;
        let tree = open_tree(folder.path(), cache_bytes, lock_tries_max)?;
        let log = File::open(folder.path().join(LOG_NAME)).map_err(Unopened::Machine)?;
        let known_bytes = bounds.cache_bytes / KNOWN_BYTES_PART;
        let known_bytes = usize::try_from(known_bytes).unwrap_or(usize::MAX);
        let files = attempt(EngineWork::Opening, || {
            let folder = folder.path().join(PAGES_NAME);
            let files = PageFiles::open(&folder, bounds.page_file_bytes_max, &live_of(&tree)?)?;
            Ok(files)
        });
        Ok(Self {
            opened_at: end_of_log(&tree),
            tree,
            known: RwLock::new(KnownPages::new(known_bytes)),
            files: files.map_err(classify)?,
            log,
            blobs: folder.path().join(BLOBS_NAME),
        })
    }

    /// Bytes the log has grown by since the engine was opened: what the next opening has to read of it,
    /// since the engine writes its index only then.
    pub(crate) fn log_bytes(&self) -> u64 {
        u64::try_from(end_of_log(&self.tree) - self.opened_at).unwrap_or_default()
    }

    /// Why the content is not to be used, `None` when it is ours and whole.
    pub(crate) fn find_fault(&self) -> Option<String> {
        let found = attempt(EngineWork::ReadingFormat, || {
            self.tree.get(keys::FORMAT_KEY)
        });
        match found {
            Err(error) => return Some(chain(&error)),
            Ok(None) => return Some("the format marker is absent".to_owned()),
            Ok(Some(format)) if format != keys::FORMAT => {
                return Some("the format marker is another's".to_owned());
            }
            Ok(Some(_)) => {}
        }
        match folder::has_blobs(&self.blobs) {
            Ok(false) => {}
            Ok(true) => return Some(SledStoreError::Unsynced.to_string()),
            Err(cause) => return Some(format!("the folder of large values: {cause}")),
        }
        None
    }

    /// Writes the format marker.
    pub(crate) fn mark(&self) -> Result<(), sled::Error> {
        self.tree.insert(keys::FORMAT_KEY, keys::FORMAT).map(|_| ())
    }

    /// Leaves a mark that no engine before left here, and returns it.
    pub(crate) fn mark_renewal(&self) -> Result<[u8; 8], sled::Error> {
        let mark = end_of_log(&self.tree).to_be_bytes();
        self.tree.insert(keys::RENEWAL_KEY, &mark)?;
        Ok(mark)
    }

    /// Whether this is the mark that was left last.
    pub(crate) fn has_mark(&self, mark: [u8; 8]) -> Result<bool, sled::Error> {
        let found = self.tree.get(keys::RENEWAL_KEY)?;
        Ok(found.is_some_and(|found| *found == mark))
    }

    /// The position of a group.
    pub(crate) fn position(
        &self,
        prefix: [u8; keys::GROUP_BYTES],
    ) -> Result<Option<Vec<u8>>, sled::Error> {
        let position = self.tree.get(keys::position_key(prefix))?;
        Ok(position.map(|position| position.to_vec()))
    }

    /// The pages in it.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages::new(&self.tree, &self.files, &self.known)
    }

    /// The files their bytes stand in.
    pub(crate) fn files(&self) -> &PageFiles {
        &self.files
    }

    /// Makes everything applied so far durable, but for the bytes of pages, which are already. The engine's own
    /// flush only starts writing back and waits for that: neither the file's length nor the device's cache.
    /// Files of pages to which nothing refers then are removed.
    pub(crate) fn sync(&self, failure: &Failure) -> Result<(), SledStoreError> {
        failure.guard(EngineWork::Flush, || {
            let dead = self.files.dead();
            self.tree.flush()?;
            self.log.sync_data()?;
            self.files.remove(&dead);
            Ok(())
        })?;
        let blobs = failure.guard(EngineWork::LookForLargeValues, || {
            Ok(folder::has_blobs(&self.blobs)?)
        })?;
        if blobs {
            failure.stop(&SledStoreError::Unsynced);
            return Err(SledStoreError::Unsynced);
        }
        Ok(())
    }

    /// Finishes forgetting groups whose `clear` was cut short: without a position a group has no pairs. However
    /// much that is, the folder is marked for it; whoever opened this makes all of it durable.
    pub(crate) fn finish_forgetting(&self, folder: &Folder) -> Result<(), sled::Error> {
        let mut from = vec![0];
        while let Some(place) = self
            .tree
            .range(from.as_slice()..)
            .keys()
            .next()
            .transpose()?
        {
            let Some(prefix) = keys::prefix_of(&place) else {
                return Ok(());
            };
            if self.tree.get(keys::position_key(prefix))?.is_none() {
                folder.mark_unsynced()?;
                while self.pages().forget_some(prefix)? {}
            }
            from = keys::behind(prefix).to_vec();
        }
        Ok(())
    }
}

impl std::fmt::Debug for Engine {
    /// Without the content, which sled would print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// What is live of the files of pages, as the engine knows it.
fn live_of(tree: &sled::Db) -> Result<LiveBytes, sled::Error> {
    let mut live = LiveBytes::new();
    for found in tree.range(keys::live_keys()) {
        let (key, value) = found?;
        let bytes = value.as_ref().try_into().ok().map(u64::from_be_bytes);
        let (Some(number), Some(bytes)) = (keys::file_of(&key), bytes) else {
            let fault = "what is live of a file of pages is no number";
            return Err(sled::Error::ReportableBug(fault.to_owned()));
        };
        live.insert(number, bytes);
    }
    Ok(live)
}

/// The engine counts what it ever wrote to its log, also where that lies in freed parts of the file.
fn end_of_log(tree: &sled::Db) -> sled::Lsn {
    tree.context.pagecache.log.stable_offset()
}

/// Has the engine read its log and write its index, and do nothing after that. When it is opened it
/// goes on at once to overwrite the parts of its file that are free by the new index, while that has no
/// durable name yet. Should a power cut then leave the index before it, or none, a part is missing that
/// the older index needs to find where the log ends, and the engine takes all of the log for torn. So it is
/// opened first in a folder where it comes no further than to its large values, whose folder is none.
fn write_index(folder: &Folder, cache_bytes: u64, lock_tries_max: u32) -> Result<(), Unopened> {
    let Some(place) = folder.begin_index().map_err(Unopened::Machine)? else {
        return Ok(());
    };
    match open_tree(&place, cache_bytes, lock_tries_max) {
        // Its log is empty, so that there is nothing to write an index of.
        Ok(empty) => attempt(EngineWork::Closing, || {
            drop(empty);
            Ok(())
        })
        .map_err(Unopened::Content)?,
        Err(Unopened::Content(error)) if is_stopped_at_large_values(&error) => {}
        Err(unopened) => return Err(unopened),
    }
    folder.end_index().map_err(Unopened::Machine)
}

fn is_stopped_at_large_values(error: &SledStoreError) -> bool {
    let SledStoreError::Engine {
        cause: sled::Error::Io(cause),
        ..
    } = error
    else {
        return false;
    };
    cause.kind() == io::ErrorKind::NotADirectory
}

fn open_tree(path: &Path, cache_bytes: u64, lock_tries_max: u32) -> Result<sled::Db, Unopened> {
    let settings = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    for _ in 0..lock_tries_max {
        match attempt(EngineWork::Opening, || settings.open()).map_err(classify) {
            Err(Unopened::Locked) => thread::sleep(Duration::from_millis(LOCK_RETRY_MS)),
            done => return done,
        }
    }
    Err(Unopened::Locked)
}

fn classify(error: SledStoreError) -> Unopened {
    match error {
        SledStoreError::Engine { cause: sled::Error::Io(cause), .. }
            // The engine gives a lock that is taken no kind of its own.
            if cause.to_string().contains("could not acquire lock") =>
        {
            Unopened::Locked
        }
        SledStoreError::Engine { cause: sled::Error::Io(cause), .. }
            if is_of_the_machine(&cause) =>
        {
            Unopened::Machine(cause)
        }
        other => Unopened::Content(other),
    }
}
