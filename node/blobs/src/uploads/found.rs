//! Uploads that a start finds: those that grow go on, those that were whole are put on the shelf, and what
//! cannot be taken up is told: it is forgotten if it is damaged, and stays for the next start if the disk
//! does not read. None keeps a node from starting.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tongban_runtime::{BlobError, Upload, UploadId};
use tongban_types::BlobHash;

use super::{Entry, Stage, UploadHead, Uploads, read_head};
use crate::files;
use crate::hashing;
use crate::part::{Part, PartPaths};
use crate::shelf::{Shelf, blocking, failed};
use crate::space::Space;

impl Uploads {
    /// Takes up what is found, and counts what of it is not on the shelf yet.
    pub(crate) async fn open(root: &Path, shelf: &Shelf, space: &Space) -> Result<Self, BlobError> {
        let uploads = Self {
            folder: root.join("uploads"),
            entries: Mutex::default(),
        };
        files::make_folder(&uploads.folder).map_err(failed)?;
        let mut unread = BTreeSet::new();
        for name in files::names(&uploads.folder).map_err(failed)? {
            let found = name.strip_suffix(".head").and_then(|id| id.parse().ok());
            let Some(id) = found else { continue };
            match uploads.take_up(id, shelf, space).await {
                Ok(Some(entry)) => {
                    uploads.entries().insert(id, Arc::new(entry));
                }
                Ok(None) => {}
                Err(error @ BlobError::Damaged { .. }) => {
                    let code = error.code();
                    tracing::warn!(%code, %error, "an upload is damaged and forgotten");
                }
                Err(error) => {
                    let code = error.code();
                    tracing::warn!(%code, %error, "an upload does not read and waits for the next start");
                    unread.insert(id);
                }
            }
        }
        uploads.tidy(&unread).map_err(failed)?;
        Ok(uploads)
    }

    async fn take_up(
        &self,
        id: UploadId,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<Option<Entry>, BlobError> {
        let head = self.head_path(id);
        // One that does not read was never answered: heads are written whole before they are.
        let Some(read) = read_head(&head).map_err(failed)? else {
            return Ok(None);
        };
        let paths = PartPaths::of(&self.folder, &id.to_string());
        let stage = match read.blob {
            None => Stage::Growing(Part::open(&paths, false).map_err(unopened)?),
            Some(blob) if shelf.tree(blob).await.is_ok_and(|it| it.is_some()) => Stage::Shelved,
            Some(blob) => {
                let (paths, length) = (paths.clone(), read.length);
                let same = blocking(move || is_still(blob, length, &paths)).await?;
                if !same.map_err(failed)? {
                    return Err(BlobError::Damaged { offset: 0 });
                }
                Stage::Hashed(blob)
            }
        };
        let shown = shown_of(id, &read, &stage);
        space.found(
            match &stage {
                Stage::Shelved | Stage::Begun => 0,
                Stage::Growing(_) | Stage::Hashed(_) => read.length,
            },
            read.length - shown.offset.min(read.length),
        );
        let entry = Entry::new(paths, head, shown, stage);
        entry.go_on(shelf, space).await?;
        Ok(Some(entry))
    }

    /// Removes files without an upload, but for those that did not read.
    fn tidy(&self, unread: &BTreeSet<UploadId>) -> io::Result<()> {
        for name in files::names(&self.folder)? {
            let id = name.split('.').next().and_then(|id| id.parse().ok());
            let stays = |id: &UploadId| unread.contains(id) || self.entries().contains_key(id);
            if !id.as_ref().is_some_and(stays) {
                files::remove(&self.folder.join(&name))?;
            }
        }
        Ok(())
    }

    /// Files that uploads became, whose places on the shelf may still be half made.
    pub(crate) fn claims(root: &Path) -> io::Result<Vec<BlobHash>> {
        let folder = root.join("uploads");
        files::make_folder(&folder)?;
        let names = files::names(&folder)?;
        let heads = names
            .iter()
            .filter(|name| name.strip_suffix(".head").is_some());
        let read = heads.filter_map(|name| read_head(&folder.join(name)).ok()?);
        Ok(read.filter_map(|head| head.blob).collect())
    }
}

impl Entry {
    /// Does what a crash kept from being done.
    async fn go_on(&self, shelf: &Shelf, space: &Space) -> Result<(), BlobError> {
        let mut stage = self.stage().await;
        match *stage {
            Stage::Hashed(blob) => match self.settle(blob, shelf, space).await {
                Ok(()) => *stage = Stage::Shelved,
                // The bucket may be away; the next who asks for the upload tries again.
                Err(error) => {
                    let code = error.code();
                    tracing::warn!(%code, %error, "a whole upload is not on the shelf yet");
                }
            },
            Stage::Shelved => {
                let paths = self.paths.clone();
                blocking(move || paths.remove()).await?.map_err(failed)?;
            }
            Stage::Begun | Stage::Growing(_) => {}
        }
        Ok(())
    }
}

/// A part that is gone is damage; the head was written behind it.
fn unopened(error: io::Error) -> BlobError {
    match error.kind() {
        io::ErrorKind::NotFound => BlobError::Damaged { offset: 0 },
        _ => failed(error),
    }
}

fn shown_of(id: UploadId, read: &UploadHead, stage: &Stage) -> Upload {
    Upload {
        id,
        owner: read.owner,
        length: read.length,
        offset: stage.part().map_or(read.length, Part::written),
        expires: read.expires,
        blob: read.blob.filter(|_| matches!(stage, Stage::Shelved)),
    }
}

/// Whether what lies here leads to the file that the head names. As long as the bytes are here, their
/// tree is made anew; once they are on the shelf it was whole before.
fn is_still(blob: BlobHash, length: u64, paths: &PartPaths) -> io::Result<bool> {
    if paths.bytes.exists() {
        return Ok(hashing::build(&paths.bytes, length, &paths.tree)? == blob);
    }
    Ok(paths.tree.exists())
}
