//! Files on their way in from clients: a head that says whose it is, the bytes so far, and how far they
//! are durable. A whole one is hashed once and put on the shelf; its head stays until it expires.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tongban_runtime::{BlobError, Upload, UploadId};
use tongban_types::{BlobHash, Hash, Timestamp, decode, encode, limits::BLOB_BYTES_MAX, records};

use crate::files;
use crate::limits::{
    RANGE_BYTES_MAX, UPLOADS_MAX, UPLOADS_PER_OWNER_MAX, WHOLE_MAX, WHOLE_PER_OWNER_MAX,
};
use crate::part::{Part, PartPaths};
use crate::shelf::{blocking, failed};
use crate::space::Space;

mod finishing;
mod found;

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
    /// How far it is; locked while somebody takes it further.
    stage: Arc<AsyncMutex<Stage>>,
}

type HeldStage = OwnedMutexGuard<Stage>;

/// The life of an upload.
#[derive(Debug)]
enum Stage {
    /// Its files are being made.
    Begun,
    /// Bytes come.
    Growing(Part),
    /// Whole; head and tree say which file it is, and it is not on the shelf yet.
    Hashed(BlobHash),
    /// On the shelf.
    Shelved,
}

impl Stage {
    const fn part(&self) -> Option<&Part> {
        match self {
            Self::Growing(part) => Some(part),
            Self::Begun | Self::Hashed(_) | Self::Shelved => None,
        }
    }
}

/// How many uploads there are.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    all: usize,
    /// Of whoever begins one more.
    theirs: usize,
}

/// Refuses whoever has too many, and asks for patience where others have.
fn may_begin(under_way: Counted, whole: Counted) -> Result<(), BlobError> {
    for (theirs, most) in [
        (under_way.theirs, UPLOADS_PER_OWNER_MAX),
        (whole.theirs, WHOLE_PER_OWNER_MAX),
    ] {
        if theirs >= most {
            return Err(BlobError::TooMany { most });
        }
    }
    if under_way.all >= UPLOADS_MAX || whole.all >= WHOLE_MAX {
        return Err(BlobError::Busy);
    }
    Ok(())
}

impl Entry {
    fn new(paths: PartPaths, head: PathBuf, shown: Upload, stage: Stage) -> Self {
        Self {
            paths,
            head,
            shown: Mutex::new(shown),
            stage: Arc::new(AsyncMutex::new(stage)),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Upload> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn stage(&self) -> HeldStage {
        Arc::clone(&self.stage).lock_owned().await
    }
}

impl Uploads {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<UploadId, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, id: UploadId) -> Result<Arc<Entry>, BlobError> {
        let entries = self.entries();
        entries.get(&id).cloned().ok_or(BlobError::UploadUnknown)
    }

    fn head_path(&self, id: UploadId) -> PathBuf {
        self.folder.join(format!("{id}.head"))
    }

    pub(crate) async fn begin(&self, upload: Upload, space: &Space) -> Result<Upload, BlobError> {
        if upload.length > BLOB_BYTES_MAX {
            return Err(BlobError::TooLarge {
                bytes_max: BLOB_BYTES_MAX,
            });
        }
        let paths = PartPaths::of(&self.folder, &upload.id.to_string());
        let entry = Entry::new(paths, self.head_path(upload.id), upload, Stage::Begun);
        // It counts from here on, and takes nothing before its files are made.
        let mut stage = entry.stage().await;
        let entry = self.enter(entry)?;
        if let Err(error) = space.set_aside(upload.length) {
            self.entries().remove(&upload.id);
            return Err(error);
        }
        match blocking(move || make(&entry, upload))
            .await?
            .map_err(failed)
        {
            Ok(part) => *stage = Stage::Growing(part),
            Err(error) => {
                self.entries().remove(&upload.id);
                space.give_back(upload.length, upload.length);
                return Err(error);
            }
        }
        Ok(upload)
    }

    /// Counts an upload in, unless there are too many.
    fn enter(&self, entry: Entry) -> Result<Arc<Entry>, BlobError> {
        let Upload { id, owner, .. } = *entry.shown();
        let mut entries = self.entries();
        let (mut under_way, mut whole) = (Counted::default(), Counted::default());
        for entry in entries.values() {
            let shown = entry.shown();
            let kind = match shown.blob {
                Some(_) => &mut whole,
                None => &mut under_way,
            };
            kind.all += 1;
            kind.theirs += usize::from(shown.owner == owner);
        }
        may_begin(under_way, whole)?;
        let entry = Arc::new(entry);
        entries.insert(id, Arc::clone(&entry));
        Ok(entry)
    }

    pub(crate) fn get(&self, id: UploadId) -> Option<Upload> {
        Some(*self.entry(id).ok()?.shown())
    }

    pub(crate) fn all(&self) -> Vec<Upload> {
        let entries = self.entries();
        entries.values().map(|entry| *entry.shown()).collect()
    }

    /// Whether an upload says that it became this file.
    pub(crate) fn show(&self, blob: BlobHash) -> bool {
        let entries = self.entries();
        entries
            .values()
            .any(|entry| entry.shown().blob == Some(blob))
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
        let mut stage = entry.stage().await;
        let stands = stage.part().map_or(length, Part::written);
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
            let Stage::Growing(part) = &mut *stage else {
                unreachable!("what takes bytes is growing: it stands below its length");
            };
            part.append(&piece)?;
            part.push()?;
            Ok::<_, io::Error>(part.written())
        })
        .await?
        .map_err(failed)?;
        space.wrote(bytes);
        Ok(stands)
    }

    /// Forgets an upload and gives back the room of what did not become a file.
    pub(crate) async fn forget(&self, id: UploadId, space: &Space) -> Result<(), BlobError> {
        let entry = self.entry(id)?;
        let stage = entry.stage().await;
        if self.entries().remove(&id).is_none() {
            return Err(BlobError::UploadUnknown);
        }
        let length = entry.shown().length;
        match &*stage {
            Stage::Growing(part) => {
                space.give_back(length, length - part.written().min(length));
            }
            Stage::Hashed(_) => space.give_back(length, 0),
            Stage::Begun | Stage::Shelved => {}
        }
        let forgotten = blocking(move || {
            // The head first: what has none is tidied away.
            files::remove(&entry.head)?;
            entry.paths.remove()?;
            drop(stage);
            Ok::<_, io::Error>(())
        });
        forgotten.await?.map_err(failed)
    }
}

/// Makes the files of an upload: the head last, for what has none is tidied away.
fn make(entry: &Entry, upload: Upload) -> io::Result<Part> {
    let part = Part::create(&entry.paths, false)?;
    files::write_whole(&entry.head, &encode(&head_of(&upload)))?;
    Ok(part)
}

const fn head_of(upload: &Upload) -> UploadHead {
    UploadHead {
        owner: upload.owner,
        length: upload.length,
        expires: upload.expires,
        blob: upload.blob,
    }
}

fn read_head(path: &Path) -> io::Result<Option<UploadHead>> {
    Ok(decode(&std::fs::read(path)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counted(all: usize, theirs: usize) -> Counted {
        Counted { all, theirs }
    }

    #[test]
    fn what_is_whole_and_what_is_under_way_are_counted_apart() {
        let few = counted(3, 3);
        assert_eq!(may_begin(few, counted(10_000, 2_047)), Ok(()));
        let (many, too_many) = (counted(1_000, 63), counted(1_000, 64));
        assert_eq!(may_begin(many, few), Ok(()));
        assert_eq!(
            may_begin(too_many, few),
            Err(BlobError::TooMany { most: 64 })
        );
        let whole = counted(2_048, 2_048);
        assert_eq!(
            may_begin(few, whole),
            Err(BlobError::TooMany { most: 2_048 })
        );
    }

    #[test]
    fn who_has_none_is_not_told_of_too_many_of_their_own() {
        let none = Counted::default();
        assert_eq!(may_begin(counted(1_024, 0), none), Err(BlobError::Busy));
        assert_eq!(may_begin(none, counted(16_384, 0)), Err(BlobError::Busy));
    }
}
