//! Files on their way in from other nodes: range after range in order, each verified before it is kept,
//! with the hash pairs of its proof. What came stays when a fetch ends, and the next goes on from there,
//! also after a restart.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Mutex as AsyncMutex;
use tongban_runtime::BlobError;
use tongban_types::{BlobHash, limits::BLOB_BYTES_MAX};

use crate::files;
use crate::limits::RECEIVING_MAX;
use crate::listing::Page;
use crate::part::{OpenedPart, Part, PartPaths};
use crate::proof::{self, ProofFault};
use crate::shelf::{Shelf, blocking, failed};
use crate::space::Space;

mod keeping;

use self::keeping::{take, take_up};

/// All files that are being received.
#[derive(Debug)]
pub(crate) struct Receiving {
    folder: PathBuf,
    entries: Mutex<BTreeMap<BlobHash, Arc<Entry>>>,
}

/// One file being received.
#[derive(Debug)]
struct Entry {
    size: u64,
    paths: PartPaths,
    /// Verified bytes, for readers beside the receiver.
    verified: AtomicU64,
    opened: OpenedPart,
    part: Arc<AsyncMutex<Option<Part>>>,
}

impl Entry {
    fn verified(&self) -> u64 {
        self.verified.load(Ordering::Acquire)
    }

    fn missing(&self) -> u64 {
        self.size - self.verified()
    }
}

/// What of a file can be read while it is received.
#[derive(Debug)]
pub(crate) struct Verified {
    /// The file's length.
    pub(crate) size: u64,
    /// Bytes verified.
    pub(crate) upto: u64,
    /// Its files.
    pub(crate) opened: OpenedPart,
}

impl Receiving {
    /// Finds what was being received; how many bytes of it are here.
    pub(crate) fn open(root: &Path) -> io::Result<(Self, u64)> {
        let folder = root.join("incoming");
        files::make_folder(&folder)?;
        let mut found = 0;
        for name in files::names(&folder)? {
            if name.strip_suffix(".part").is_some() {
                found += std::fs::metadata(folder.join(name))?.len();
            }
        }
        let receiving = Self {
            folder,
            entries: Mutex::default(),
        };
        Ok((receiving, found))
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<BlobHash, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, blob: BlobHash) -> Result<Arc<Entry>, BlobError> {
        self.entries().get(&blob).cloned().ok_or(BlobError::NotHere)
    }

    pub(crate) fn verified(&self, blob: BlobHash) -> Option<Verified> {
        let entry = self.entry(blob).ok()?;
        Some(Verified {
            size: entry.size,
            upto: entry.verified(),
            opened: entry.opened.clone(),
        })
    }

    /// Begins or goes on; returns from where the file is missing. One that was begun with another size
    /// is ended: it was somebody's false word. Whoever calls holds the file's place.
    pub(crate) async fn begin(
        &self,
        blob: BlobHash,
        size: u64,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<u64, BlobError> {
        if size > BLOB_BYTES_MAX {
            return Err(BlobError::TooLarge {
                bytes_max: BLOB_BYTES_MAX,
            });
        }
        if let Ok(entry) = self.entry(blob) {
            if entry.size == size {
                return Ok(entry.verified());
            }
            self.end(blob, space).await?;
        }
        if self.entries().len() >= RECEIVING_MAX {
            return Err(BlobError::Busy);
        }
        let paths = PartPaths::of(&self.folder, &blob.to_string());
        let opened = paths.clone();
        let taken_up = blocking(move || take_up(blob, size, &opened)).await?;
        let (part, before) = taken_up.map_err(failed)?;
        let verified = part.written();
        space.give_back(before.saturating_sub(verified), 0);
        space.set_aside(size - verified)?;
        let entry = Arc::new(Entry {
            size,
            paths,
            verified: AtomicU64::new(verified),
            opened: part.opened(),
            part: Arc::new(AsyncMutex::new(Some(part))),
        });
        self.entries().insert(blob, Arc::clone(&entry));
        if size == 0 {
            return self.finish_empty(blob, &entry, shelf, space).await;
        }
        Ok(verified)
    }

    async fn finish_empty(
        &self,
        blob: BlobHash,
        entry: &Arc<Entry>,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<u64, BlobError> {
        if blob.0 != *blake3::hash(&[]).as_bytes() {
            self.remove(blob, space).await?;
            return Err(BlobError::Lied { offset: 0 });
        }
        self.finish(blob, entry, shelf, space).await?;
        Ok(0)
    }

    /// Verifies and keeps the next range; returns from where the file is missing then.
    pub(crate) async fn receive(
        &self,
        blob: BlobHash,
        length: u64,
        proof: Bytes,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<u64, BlobError> {
        let entry = self.entry(blob)?;
        self.take_next(blob, &entry, length, proof, space).await?;
        if entry.verified() == entry.size {
            let _place = shelf.place(blob).await;
            self.finish(blob, &entry, shelf, space).await?;
        }
        Ok(entry.verified())
    }

    /// Keeps what is true of the next range; nothing to do where all bytes are here already.
    async fn take_next(
        &self,
        blob: BlobHash,
        entry: &Arc<Entry>,
        length: u64,
        proof: Bytes,
        space: &Space,
    ) -> Result<(), BlobError> {
        let mut part = entry.part.clone().lock_owned().await;
        let size = entry.size;
        let offset = part.as_ref().map_or(size, Part::written);
        if offset == size {
            return Ok(());
        }
        self.still_comes(blob, entry)?;
        let range = offset..offset.saturating_add(length).min(size);
        if range.is_empty() || !proof::is_aligned(&range, size) {
            return Err(BlobError::Lied { offset });
        }
        let (part, taken) = blocking(move || {
            let taken = take(
                part.as_mut().expect("looked at above"),
                blob,
                size,
                &range,
                &proof,
            );
            (part, taken)
        })
        .await?;
        // Good groups before a bad one stay.
        let upto = part.as_ref().map_or(offset, Part::written);
        space.wrote(upto - offset);
        entry.verified.store(upto, Ordering::Release);
        taken.map_err(|fault| match fault {
            ProofFault::Mismatch => BlobError::Lied { offset },
            ProofFault::Io(error) => failed(error),
        })
    }

    /// Refuses what was ended, or begun anew, since somebody took hold of it.
    fn still_comes(&self, blob: BlobHash, entry: &Arc<Entry>) -> Result<(), BlobError> {
        let comes = self.entry(blob)?;
        if Arc::ptr_eq(&comes, entry) {
            return Ok(());
        }
        Err(BlobError::NotHere)
    }

    /// Puts a whole file on the shelf; can be done again if it fails. Whoever calls holds its place.
    async fn finish(
        &self,
        blob: BlobHash,
        entry: &Arc<Entry>,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<(), BlobError> {
        let mut part = entry.part.clone().lock_owned().await;
        if part.is_none() {
            return Ok(());
        }
        self.still_comes(blob, entry)?;
        let paths = entry.paths.clone();
        if shelf.tree(blob).await?.is_some() {
            // It came by an upload of the same bytes meanwhile, which has its room.
            space.give_back(entry.size, 0);
        } else {
            let synced = blocking(move || {
                let synced = part.as_ref().map_or(Ok(0), Part::sync);
                (part, synced)
            });
            let (back, synced) = synced.await?;
            part = back;
            synced.map_err(failed)?;
            let (bytes, tree) = (paths.bytes.clone(), paths.tree.clone());
            shelf.put(blob, entry.size, bytes, tree).await?;
        }
        *part = None;
        self.entries().remove(&blob);
        if let Err(error) = blocking(move || paths.remove()).await? {
            tracing::warn!(%error, "what is left of a received file stays until the next start");
        }
        Ok(())
    }

    /// Ends the receiving of a file: what came stays, the room of what did not is given back. Whoever
    /// calls holds its place.
    pub(crate) async fn end(&self, blob: BlobHash, space: &Space) -> Result<(), BlobError> {
        let Some(entry) = self.entries().remove(&blob) else {
            return Ok(());
        };
        let part = entry.part.clone().lock_owned().await;
        space.give_back(entry.missing(), entry.missing());
        blocking(move || match part.as_ref() {
            Some(part) if part.written() > 0 => part.sync().map(drop),
            Some(_) => entry.paths.remove(),
            None => Ok(()),
        })
        .await?
        .map_err(failed)
    }

    /// Lets go of what came of a file so far. Whoever calls holds its place.
    pub(crate) async fn remove(&self, blob: BlobHash, space: &Space) -> Result<(), BlobError> {
        let paths = PartPaths::of(&self.folder, &blob.to_string());
        let entry = self.entries().remove(&blob);
        if let Some(entry) = entry {
            // Behind a range that is being taken.
            let _part = entry.part.lock().await;
            space.give_back(entry.size, entry.missing());
            return blocking(move || paths.remove()).await?.map_err(failed);
        }
        let removed = blocking(move || {
            let left = std::fs::metadata(&paths.bytes).map_or(0, |it| it.len());
            paths.remove().map(|()| left)
        });
        space.give_back(removed.await?.map_err(failed)?, 0);
        Ok(())
    }

    /// Adds files of which something came to a page; reads a folder.
    pub(crate) fn add_to(&self, page: &mut Page) -> io::Result<()> {
        page.read_through(&self.folder, ".part")
    }
}
