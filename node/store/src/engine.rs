//! sled as this store uses it: how it is opened, what makes it durable, and whether what it opened
//! is ours and whole. Nothing else calls sled.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sled::IVec;
use tongban_runtime::seams::Pair;

use crate::error::SledStoreError;
use crate::failure::{Failure, attempt, chain};
use crate::folder::{self, BLOBS_NAME, Folder, LOG_NAME};
use crate::keys;
use crate::layers::Layer;
use crate::limits::{CLEARED_PER_BATCH_MAX, LOCK_RETRY_MS, SEGMENT_BYTES};
use crate::page::{Change, Malformed, Page, rewrite};

/// An open engine. There are no clones of it, nor of what is inside: one left over would keep the
/// engine from closing.
pub(crate) struct Engine {
    tree: sled::Db,
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
    /// Opens the engine on whatever the folder holds, creating it if need be, and tries for its lock
    /// up to `lock_tries_max` times. The index it writes at that is durable before it frees anything.
    pub(crate) fn open(
        folder: &Folder,
        cache_bytes: u64,
        lock_tries_max: u32,
    ) -> Result<Self, Unopened> {
        write_index(folder, cache_bytes, lock_tries_max)?;
        let tree = open_tree(folder.path(), cache_bytes, lock_tries_max)?;
        let log = File::open(folder.path().join(LOG_NAME)).map_err(Unopened::Machine)?;
        Ok(Self {
            opened_at: end_of_log(&tree),
            tree,
            log,
            blobs: folder.path().join(BLOBS_NAME),
        })
    }

    /// Bytes the log has grown by since the engine was opened: what the next opening has to read of it,
    /// since the engine writes its index only then.
    pub(crate) fn log_bytes(&self) -> u64 {
        u64::try_from(end_of_log(&self.tree) - self.opened_at).unwrap_or_default()
    }

    /// Why the content is not to be used, `None` when it is ours and whole. Finishes forgetting
    /// groups whose `clear` was cut short: without a position a group has no pairs.
    pub(crate) fn find_fault(&self) -> Option<String> {
        let found = attempt("reading the format marker", || {
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
        let finished = attempt("finishing what was being forgotten", || {
            self.finish_forgetting()
        });
        finished.err().map(|error| chain(&error))
    }

    /// Writes the format marker.
    pub(crate) fn mark(&self) -> Result<(), sled::Error> {
        self.tree.insert(keys::FORMAT_KEY, keys::FORMAT).map(|_| ())
    }

    /// The position of a group.
    pub(crate) fn position(
        &self,
        prefix: [u8; keys::GROUP_BYTES],
    ) -> Result<Option<Vec<u8>>, sled::Error> {
        let position = self.tree.get(keys::position_key(prefix))?;
        Ok(position.map(|position| position.to_vec()))
    }

    /// The value of a place.
    pub(crate) fn get(&self, place: &[u8]) -> Result<Option<Vec<u8>>, sled::Error> {
        let Some((_, bytes)) = self.page_of(place)? else {
            return Ok(None);
        };
        let value = Page::open(&bytes).and_then(|page| page.get(keys::bare(place)));
        Ok(value.map_err(no_page)?.map(<[u8]>::to_vec))
    }

    /// Pairs of one group with `from <= place < until`, in order.
    pub(crate) fn pairs(&self, from: &[u8], until: &[u8]) -> Result<Pairs, sled::Error> {
        let first = self.page_of(from)?;
        let behind = (Bound::Excluded(from), Bound::Excluded(until));
        let mut pairs = Pairs {
            page: None,
            at: 0,
            pages: self.tree.range::<&[u8], _>(behind),
            until: keys::bare(until).to_vec(),
        };
        if let Some((_, bytes)) = first {
            pairs.at = Page::open(&bytes)
                .and_then(|page| page.lower_bound(keys::bare(from)))
                .map_err(no_page)?;
            pairs.page = Some(bytes);
        }
        Ok(pairs)
    }

    /// What writes a layer into the pages it belongs to, and its positions. Good for as long as nothing
    /// else writes.
    pub(crate) fn batch_of(&self, layer: &Layer) -> Result<sled::Batch, sled::Error> {
        let mut batch = sled::Batch::default();
        let mut changes = layer.changes().peekable();
        while let Some((place, _)) = changes.peek().copied() {
            let held = self.page_of(place)?;
            let behind = self.page_behind(place)?;
            let is_on_page = |other: &[u8]| {
                keys::prefix_of(other) == keys::prefix_of(place)
                    && behind.as_ref().is_none_or(|behind| other < behind.as_ref())
            };
            let mut on_page: Vec<Change<'_>> = Vec::new();
            while let Some((other, value)) = changes.next_if(|(other, _)| is_on_page(other)) {
                on_page.push((keys::bare(other), value));
            }
            let before = held
                .as_ref()
                .map(|(_, bytes)| Page::open(bytes))
                .transpose();
            let pages = before.and_then(|before| rewrite(before, &on_page));
            let mut stays = held.as_ref().map(|(first, _)| first.to_vec());
            for (first, page) in pages.map_err(no_page)? {
                // The first of them stays where the page stood, whatever its first key is now.
                let at = stays.take().unwrap_or_else(|| {
                    [place.get(..keys::GROUP_BYTES).unwrap_or_default(), &first].concat()
                });
                batch.insert(at, page);
            }
            if let Some(empty) = stays {
                batch.remove(empty);
            }
        }
        for (group, position) in layer.positions() {
            batch.insert(&keys::position_key(group), position);
        }
        Ok(batch)
    }

    /// The page that holds a place, if any does: the last one that begins at it or before it.
    fn page_of(&self, place: &[u8]) -> Result<Option<(IVec, IVec)>, sled::Error> {
        let group = place.get(..keys::GROUP_BYTES).unwrap_or_default();
        self.tree.range(group..=place).next_back().transpose()
    }

    /// Where the next page of a place's group begins.
    fn page_behind(&self, place: &[u8]) -> Result<Option<IVec>, sled::Error> {
        let Some(prefix) = keys::prefix_of(place) else {
            return Ok(None);
        };
        let end = keys::behind(prefix);
        let range = (Bound::Excluded(place), Bound::Excluded(end.as_slice()));
        self.tree.range::<&[u8], _>(range).keys().next().transpose()
    }

    /// Writes a batch, all or nothing.
    pub(crate) fn apply(&self, batch: sled::Batch) -> Result<(), sled::Error> {
        self.tree.apply_batch(batch)
    }

    /// Forgets the next pages of a group; false when there are none left.
    pub(crate) fn forget_some(&self, prefix: [u8; 4]) -> Result<bool, sled::Error> {
        let mut batch = sled::Batch::default();
        let mut some = false;
        let pairs = self
            .tree
            .range(prefix.as_slice()..keys::behind(prefix).as_slice());
        for place in pairs.keys().take(CLEARED_PER_BATCH_MAX) {
            batch.remove(place?);
            some = true;
        }
        if some {
            self.apply(batch)?;
        }
        Ok(some)
    }

    /// Makes everything applied so far durable. The engine's own flush only starts writing the
    /// pages back and waits for that: neither the file's length nor the device's cache.
    pub(crate) fn sync(&self, failure: &Failure) -> Result<(), SledStoreError> {
        failure.guard("a flush", || {
            self.tree.flush()?;
            self.log.sync_data()?;
            Ok(())
        })?;
        let blobs = failure.guard("a look for large values", || {
            Ok(folder::has_blobs(&self.blobs)?)
        })?;
        if blobs {
            failure.stop(&SledStoreError::Unsynced);
            return Err(SledStoreError::Unsynced);
        }
        Ok(())
    }

    fn finish_forgetting(&self) -> Result<(), sled::Error> {
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
                while self.forget_some(prefix)? {}
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

/// Pairs of one group in order, read page by page.
pub(crate) struct Pairs {
    page: Option<IVec>,
    /// The next pair of the page.
    at: usize,
    pages: sled::Iter,
    until: Vec<u8>,
}

impl Pairs {
    /// The next pair; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Pair>, sled::Error> {
        loop {
            if let Some(bytes) = &self.page {
                let page = Page::open(bytes).map_err(no_page)?;
                if self.at < page.count() {
                    let (key, value) = page.pair(self.at).map_err(no_page)?;
                    self.at += 1;
                    let is_in_range = key < self.until.as_slice();
                    return Ok(is_in_range.then(|| (key.to_vec(), value.to_vec())));
                }
            }
            let Some((_, bytes)) = self.pages.next().transpose()? else {
                return Ok(None);
            };
            (self.page, self.at) = (Some(bytes), 0);
        }
    }
}

/// The engine checks what it reads, so that these bytes are as they were written.
fn no_page(Malformed: Malformed) -> sled::Error {
    sled::Error::ReportableBug("a value of the store is no page".to_owned())
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
        Ok(empty) => attempt("closing", || {
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
        match attempt("opening", || settings.open()).map_err(classify) {
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

/// Whether wiping would not help, so that it must not be done.
fn is_of_the_machine(cause: &io::Error) -> bool {
    use io::ErrorKind::{
        OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24]; // ENFILE, EMFILE
    matches!(
        cause.kind(),
        OutOfMemory | PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
    ) || cause
        .raw_os_error()
        .is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code))
}
