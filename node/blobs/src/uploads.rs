//! Files on their way in from clients: a head that says whose it is, the bytes so far, and how far they
//! are durable. A whole one is hashed once and put on the shelf; its head stays until it expires.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as AsyncMutex;
use tongban_runtime::{BlobError, Upload, UploadId};
use tongban_types::{BlobHash, Hash, Timestamp, decode, encode, limits::BLOB_BYTES_MAX, records};

use crate::files;
use crate::limits::{HASHING_BYTES, RANGE_BYTES_MAX, UPLOADS_MAX, UPLOADS_PER_OWNER_MAX};
use crate::part::{Part, PartPaths};
use crate::proof;
use crate::shelf::{Shelf, blocking, failed};
use crate::space::Space;

/// What stands in an upload's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UploadHead {
    owner: Hash,
    length: u64,
    expires: Timestamp,
    blob: Option<BlobHash>,
}

// 6xx: files beside the log.
records! {
    UploadHead = 600 v 1 "head of an upload";
}

/// All uploads.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    entries: Mutex<BTreeMap<UploadId, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    paths: PartPaths,
    head: PathBuf,
    /// How it stands, for whoever asks; locked for moments only.
    shown: Mutex<Upload>,
    /// The growing file; `None` once it is on the shelf.
    part: Arc<AsyncMutex<Option<Part>>>,
}

impl Entry {
    fn shown(&self) -> MutexGuard<'_, Upload> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uploads {
    /// Takes up what is found; puts on the shelf what was whole. Returns bytes announced and bytes of
    /// them that are missing.
    pub(crate) async fn open(root: &Path, shelf: &Shelf) -> Result<(Self, u64, u64), BlobError> {
        let uploads = Self {
            folder: root.join("uploads"),
            entries: Mutex::default(),
        };
        files::make_folder(&uploads.folder).map_err(failed)?;
        let (mut all, mut ahead) = (0, 0);
        for name in files::names(&uploads.folder).map_err(failed)? {
            let found = name.strip_suffix(".head").and_then(|id| id.parse().ok());
            let Some(id) = found else { continue };
            let Some(entry) = uploads.take_up(id).map_err(failed)? else {
                continue;
            };
            let shown = *entry.shown();
            if let Some(blob) = shown.blob {
                uploads.settle(&entry, blob, shown.length, shelf).await?;
            } else {
                all += shown.length;
                ahead += shown.length - shown.offset.min(shown.length);
            }
            uploads.entries().insert(id, entry);
        }
        uploads.tidy().map_err(failed)?;
        Ok((uploads, all, ahead))
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<UploadId, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, id: UploadId) -> Result<Arc<Entry>, BlobError> {
        let entries = self.entries();
        entries.get(&id).cloned().ok_or(BlobError::UploadUnknown)
    }

    fn take_up(&self, id: UploadId) -> io::Result<Option<Arc<Entry>>> {
        let paths = PartPaths::of(&self.folder, &id.to_string());
        let head = self.folder.join(format!("{id}.head"));
        let read: Option<UploadHead> = decode(&std::fs::read(&head)?).ok();
        let Some(read) = read else {
            // It was never answered: heads are written whole before they are.
            files::remove(&head)?;
            return Ok(None);
        };
        let part = match read.blob {
            Some(_) => None,
            None => Some(Part::open(&paths, false)?),
        };
        let shown = Upload {
            id,
            owner: read.owner,
            length: read.length,
            offset: part.as_ref().map_or(read.length, Part::written),
            expires: read.expires,
            blob: read.blob,
        };
        Ok(Some(Arc::new(Entry {
            paths,
            head,
            shown: Mutex::new(shown),
            part: Arc::new(AsyncMutex::new(part)),
        })))
    }

    /// Removes files without a head.
    fn tidy(&self) -> io::Result<()> {
        for name in files::names(&self.folder)? {
            let id = name.split('.').next().and_then(|id| id.parse().ok());
            if !id.is_some_and(|id: UploadId| self.entries().contains_key(&id)) {
                files::remove(&self.folder.join(&name))?;
            }
        }
        Ok(())
    }

    pub(crate) async fn begin(&self, upload: Upload, space: &Space) -> Result<Upload, BlobError> {
        if upload.length > BLOB_BYTES_MAX {
            return Err(BlobError::TooLarge {
                bytes_max: BLOB_BYTES_MAX,
            });
        }
        self.check_count(upload.owner)?;
        space.set_aside(upload.length)?;
        let paths = PartPaths::of(&self.folder, &upload.id.to_string());
        let head = self.folder.join(format!("{}.head", upload.id));
        let (made, written) = (paths.clone(), head_of(&upload));
        let path = head.clone();
        let begun = blocking(move || {
            // The head last: what has none is tidied away.
            let part = Part::create(&made, false)?;
            files::write_whole(&path, &encode(&written))?;
            Ok::<_, io::Error>(part)
        })
        .await?;
        let part = begun.map_err(|error| {
            space.give_back(upload.length, upload.length);
            failed(error)
        })?;
        let entry = Arc::new(Entry {
            paths,
            head,
            shown: Mutex::new(upload),
            part: Arc::new(AsyncMutex::new(Some(part))),
        });
        self.entries().insert(upload.id, entry);
        Ok(upload)
    }

    fn check_count(&self, owner: Hash) -> Result<(), BlobError> {
        let entries = self.entries();
        let theirs = entries
            .values()
            .filter(|entry| entry.shown().owner == owner);
        if theirs.count() >= UPLOADS_PER_OWNER_MAX {
            return Err(BlobError::TooMany {
                most: UPLOADS_PER_OWNER_MAX,
            });
        }
        if entries.len() >= UPLOADS_MAX {
            return Err(BlobError::TooMany { most: UPLOADS_MAX });
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: UploadId) -> Option<Upload> {
        Some(*self.entry(id).ok()?.shown())
    }

    pub(crate) fn all(&self) -> Vec<Upload> {
        let entries = self.entries();
        entries.values().map(|entry| *entry.shown()).collect()
    }

    pub(crate) async fn append(
        &self,
        id: UploadId,
        offset: u64,
        piece: Bytes,
        space: &Space,
    ) -> Result<u64, BlobError> {
        let entry = self.entry(id)?;
        let length = entry.shown().length;
        let mut part = entry.part.clone().lock_owned().await;
        let stands = part.as_ref().map_or(length, Part::written);
        if offset != stands {
            return Err(BlobError::Offset {
                stands,
                given: offset,
            });
        }
        let bytes = piece.len() as u64;
        if bytes > RANGE_BYTES_MAX || offset + bytes > length {
            return Err(BlobError::TooLarge { bytes_max: length });
        }
        if bytes == 0 {
            return Ok(stands);
        }
        let stands = blocking(move || {
            let part = part
                .as_mut()
                .expect("what is not whole is not on the shelf");
            part.append(&piece)?;
            part.push()?;
            Ok::<_, io::Error>(part.written())
        })
        .await?
        .map_err(failed)?;
        space.wrote(bytes);
        Ok(stands)
    }

    pub(crate) async fn commit(
        &self,
        id: UploadId,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<Upload, BlobError> {
        let entry = self.entry(id)?;
        let mut part = entry.part.clone().lock_owned().await;
        let shown = *entry.shown();
        if part.is_none() {
            return Ok(shown);
        }
        let work = Arc::clone(&entry);
        let (part_back, synced) = blocking(move || {
            let synced = sync_and_hash(&work, part.as_ref().expect("looked at above"), shown);
            (part, synced)
        })
        .await?;
        part = part_back;
        let shown = synced.map_err(failed)?;
        if let Some(blob) = shown.blob {
            let is_here = shelf.tree(blob)?.is_some();
            self.settle(&entry, blob, shown.length, shelf).await?;
            if is_here {
                space.give_back(shown.length, 0);
            }
            *part = None;
        }
        *entry.shown() = shown;
        Ok(shown)
    }

    /// Puts a whole upload on the shelf, or lets it go if the file lies there already.
    async fn settle(
        &self,
        entry: &Entry,
        blob: BlobHash,
        size: u64,
        shelf: &Shelf,
    ) -> Result<(), BlobError> {
        let paths = entry.paths.clone();
        if shelf.tree(blob)?.is_none() && paths.tree.exists() {
            shelf
                .put(blob, size, paths.bytes.clone(), paths.tree.clone())
                .await?;
        }
        blocking(move || paths.remove()).await?.map_err(failed)
    }

    /// Forgets an upload; returns what it had announced and what of it never came.
    pub(crate) async fn forget(&self, id: UploadId, space: &Space) -> Result<(), BlobError> {
        let entry = self.entry(id)?;
        let part = entry.part.clone().lock_owned().await;
        if self.entries().remove(&id).is_none() {
            return Err(BlobError::UploadUnknown);
        }
        if let Some(part) = part.as_ref() {
            let length = entry.shown().length;
            space.give_back(length, length - part.written().min(length));
        }
        let forgotten = blocking(move || {
            // The head first: what has none is tidied away.
            files::remove(&entry.head)?;
            entry.paths.remove()
        });
        forgotten.await?.map_err(failed)
    }

    /// Files that uploads became, whose places on the shelf may still be half made.
    pub(crate) fn claims(root: &Path) -> io::Result<Vec<BlobHash>> {
        let folder = root.join("uploads");
        files::make_folder(&folder)?;
        let names = files::names(&folder)?;
        let heads = names
            .iter()
            .filter(|name| name.strip_suffix(".head").is_some());
        let read = heads.filter_map(|name| std::fs::read(folder.join(name)).ok());
        Ok(read
            .filter_map(|bytes| decode::<UploadHead>(&bytes).ok()?.blob)
            .collect())
    }
}

const fn head_of(upload: &Upload) -> UploadHead {
    UploadHead {
        owner: upload.owner,
        length: upload.length,
        expires: upload.expires,
        blob: upload.blob,
    }
}

/// Makes what came durable; of a whole file builds the tree and notes in the head which file it is.
fn sync_and_hash(entry: &Entry, part: &Part, shown: Upload) -> io::Result<Upload> {
    let offset = part.sync()?;
    let mut shown = Upload { offset, ..shown };
    if offset < shown.length {
        return Ok(shown);
    }
    let mut tree = files::create(&entry.paths.tree)?;
    let whole = files::open(&entry.paths.bytes, false)?;
    let whole = io::BufReader::with_capacity(HASHING_BYTES, whole);
    let blob = proof::build(whole, shown.length, &mut tree)?;
    tree.sync_all()?;
    shown.blob = Some(blob);
    files::write_whole(&entry.head, &encode(&head_of(&shown)))?;
    Ok(shown)
}
