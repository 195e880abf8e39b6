//! The store: uploads, files being received and the shelf together, as the runtime asks for them.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tongban_runtime::{BlobError, BlobStore, Upload, UploadId};
use tongban_types::{BlobHash, Code, Hash, Timestamp};

use crate::files;
use crate::limits::RANGE_BYTES_MAX;
use crate::proof::{self, ProofFault};
use crate::receiving::{Receiving, Verified};
use crate::shelf::{Shelf, ShelfSettings, blocking, failed};
use crate::space::{Space, SpaceSettings};
use crate::uploads::Uploads;

/// Why the store does not open.
#[derive(Debug, Error)]
#[error("the store of files does not open: {reason}")]
pub struct OpenError {
    reason: BlobError,
}

impl OpenError {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        self.reason.code()
    }
}

/// Large files of a node.
#[derive(Debug)]
pub struct Blobs {
    shelf: Shelf,
    uploads: Uploads,
    receiving: Receiving,
    space: Space,
}

impl Blobs {
    /// Opens the store in a folder of its own; finishes or tidies what a crash left half done.
    pub async fn open(
        folder: &Path,
        shelf: &ShelfSettings,
        space: SpaceSettings,
    ) -> Result<Self, OpenError> {
        let opened = Self::open_in(folder, shelf, space).await;
        opened.map_err(|reason| OpenError { reason })
    }

    async fn open_in(
        folder: &Path,
        shelf: &ShelfSettings,
        space: SpaceSettings,
    ) -> Result<Self, BlobError> {
        files::make_folder(folder).map_err(failed)?;
        let shelf = Shelf::open(folder, shelf)?;
        let claims = Uploads::claims(folder).map_err(failed)?;
        let (receiving, incoming) = Receiving::open(folder).map_err(failed)?;
        let coming = receiving.list()?;
        shelf
            .tidy(|blob| claims.contains(&blob) || coming.contains(&blob))
            .map_err(failed)?;
        let (uploads, announced, ahead) = Uploads::open(folder, &shelf).await?;
        let space = Space::new(folder, space);
        space.found(announced, ahead);
        space.found(incoming, 0);
        for blob in shelf.list()? {
            let size = shelf.tree(blob)?.map_or(0, |(_, size)| size);
            space.found(size, 0);
        }
        Ok(Self {
            shelf,
            uploads,
            receiving,
            space,
        })
    }

    /// Reads and verifies a range of a whole file or of one that comes; with its proof if asked.
    async fn verified(
        &self,
        blob: BlobHash,
        offset: u64,
        length: u64,
        with_proof: bool,
    ) -> Result<Bytes, BlobError> {
        if length > RANGE_BYTES_MAX {
            return Err(BlobError::TooLarge {
                bytes_max: RANGE_BYTES_MAX,
            });
        }
        if let Some(coming) = self.receiving.verified(blob) {
            match self
                .read_coming(blob, coming, offset, length, with_proof)
                .await
            {
                // It may have become whole meanwhile, and lies elsewhere.
                Err(BlobError::Failed(_)) if self.shelf.tree(blob)?.is_some() => {}
                read => return read,
            }
        }
        let (tree, size) = self.shelf.tree(blob)?.ok_or(BlobError::NotHere)?;
        let (range, wanted) = range_of(offset, length, size)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes = self.shelf.read(blob, offset, wanted).await?;
        let checked = blocking(move || check(blob, size, &range, bytes, &tree, with_proof));
        checked.await?
    }

    async fn read_coming(
        &self,
        blob: BlobHash,
        coming: Verified,
        offset: u64,
        length: u64,
        with_proof: bool,
    ) -> Result<Bytes, BlobError> {
        let (range, wanted) = range_of(offset, length, coming.size)?;
        if range.end > coming.upto {
            return Err(BlobError::NotHere);
        }
        let read = move || {
            let tree = files::open(&coming.paths.tree, false).map_err(failed)?;
            let mut bytes = vec![0; wanted];
            let file = files::open(&coming.paths.bytes, false).map_err(failed)?;
            file.read_exact_at(&mut bytes, offset).map_err(failed)?;
            check(
                blob,
                coming.size,
                &range,
                Bytes::from(bytes),
                &tree,
                with_proof,
            )
        };
        blocking(read).await?
    }
}

fn range_of(offset: u64, length: u64, size: u64) -> Result<(Range<u64>, usize), BlobError> {
    let range = offset..offset.saturating_add(length).min(size);
    if !proof::is_aligned(&range, size) {
        return Err(BlobError::NotHere);
    }
    let wanted = usize::try_from(range.end - range.start).map_err(failed)?;
    Ok((range, wanted))
}

fn check(
    blob: BlobHash,
    size: u64,
    range: &Range<u64>,
    bytes: Bytes,
    tree: &File,
    with_proof: bool,
) -> Result<Bytes, BlobError> {
    let mut proof = Vec::new();
    if with_proof {
        // A pair a group, and the way down to them.
        proof.reserve(bytes.len() + bytes.len() / 128 + 8_192);
    }
    let sink = with_proof.then_some(&mut proof);
    match proof::check(blob, size, range, &bytes, tree, sink) {
        Ok(()) if with_proof => Ok(Bytes::from(proof)),
        Ok(()) => Ok(bytes),
        Err(ProofFault::Mismatch) => Err(BlobError::Damaged {
            offset: range.start,
        }),
        Err(ProofFault::Io(error)) => Err(failed(error)),
    }
}

#[async_trait]
impl BlobStore for Blobs {
    async fn begin_upload(
        &self,
        id: UploadId,
        owner: Hash,
        length: u64,
        expires: Timestamp,
    ) -> Result<Upload, BlobError> {
        let upload = Upload {
            id,
            owner,
            length,
            offset: 0,
            expires,
            blob: None,
        };
        self.uploads.begin(upload, &self.space).await
    }

    fn upload(&self, id: UploadId) -> Option<Upload> {
        self.uploads.get(id)
    }

    fn uploads(&self) -> Vec<Upload> {
        self.uploads.all()
    }

    async fn append(&self, id: UploadId, offset: u64, piece: Bytes) -> Result<u64, BlobError> {
        self.uploads.append(id, offset, piece, &self.space).await
    }

    async fn commit(&self, id: UploadId) -> Result<Upload, BlobError> {
        self.uploads.commit(id, &self.shelf, &self.space).await
    }

    async fn forget_upload(&self, id: UploadId) -> Result<(), BlobError> {
        self.uploads.forget(id, &self.space).await
    }

    async fn size_of(&self, blob: BlobHash) -> Result<Option<u64>, BlobError> {
        Ok(self.shelf.tree(blob)?.map(|(_, size)| size))
    }

    async fn read(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        self.verified(blob, offset, length, false).await
    }

    async fn prove(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        self.verified(blob, offset, length, true).await
    }

    async fn begin_receive(&self, blob: BlobHash, size: u64) -> Result<u64, BlobError> {
        match self.size_of(blob).await? {
            Some(whole) if whole == size => Ok(size),
            Some(_) => Err(BlobError::NotHere),
            None => {
                let begun = self.receiving.begin(blob, size, &self.shelf, &self.space);
                begun.await
            }
        }
    }

    async fn receive(&self, blob: BlobHash, length: u64, proof: Bytes) -> Result<u64, BlobError> {
        let received = self
            .receiving
            .receive(blob, length, proof, &self.shelf, &self.space);
        received.await
    }

    async fn remove(&self, blob: BlobHash) -> Result<(), BlobError> {
        if let Some((_, size)) = self.shelf.tree(blob)? {
            self.shelf.remove(blob).await?;
            self.space.give_back(size, 0);
        }
        self.receiving.remove(blob, &self.space).await
    }

    async fn list(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<BlobHash>, BlobError> {
        let mut found = self.shelf.list()?;
        found.extend(self.receiving.list()?);
        found.sort_unstable();
        found.dedup();
        let behind = found
            .into_iter()
            .filter(|blob| after.is_none_or(|after| *blob > after));
        Ok(behind.take(limit).collect())
    }
}
