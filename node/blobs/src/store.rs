//! The store: uploads, files being received and the shelf together, as the runtime asks for them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tongban_runtime::{BlobError, BlobStore, Upload, UploadId};
use tongban_types::{BlobHash, Code, Hash, Timestamp};

use crate::files;
use crate::listing::Page;
use crate::receiving::Receiving;
use crate::shelf::{Shelf, ShelfSettings, blocking, failed};
use crate::space::{Space, SpaceSettings};
use crate::uploads::Uploads;

mod reading;

/// Why the store does not open.
#[derive(Debug, Error)]
#[error("the store of files does not open")]
pub struct OpenError {
    #[from]
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
pub struct Blobs(Arc<Store>);

#[derive(Debug)]
struct Store {
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
        let store = Store::open(folder, shelf, space).await?;
        Ok(Self(Arc::new(store)))
    }

    /// Carries out what changes something in a task of its own: it goes on when its caller goes, or room
    /// would stay taken, and a file be hashed again and again for a client that never waits long enough.
    async fn carried<T, F>(&self, work: impl FnOnce(Arc<Store>) -> F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, BlobError>> + Send + 'static,
    {
        let carried = tokio::spawn(work(Arc::clone(&self.0)));
        carried
            .await
            .map_err(|_| BlobError::Failed("a task of the store was ended".to_owned()))?
    }
}

impl Store {
    async fn open(
        folder: &Path,
        shelf: &ShelfSettings,
        space: SpaceSettings,
    ) -> Result<Self, BlobError> {
        files::make_folder(folder).map_err(failed)?;
        let space = Space::new(folder, space);
        let shelf = Shelf::open(folder, shelf)?;
        let claims = Uploads::claims(folder).map_err(failed)?;
        let (receiving, incoming) = Receiving::open(folder).map_err(failed)?;
        let mut coming = Page::behind(None, usize::MAX);
        receiving.add_to(&mut coming).map_err(failed)?;
        let coming = coming.into_files();
        shelf
            .tidy(|blob| claims.contains(&blob) || coming.contains(&blob))
            .map_err(failed)?;
        space.found(shelf.look_through().await?, 0);
        space.found(incoming, 0);
        let uploads = Uploads::open(folder, &shelf, &space).await?;
        Ok(Self {
            shelf,
            uploads,
            receiving,
            space,
        })
    }

    async fn begin_receive(&self, blob: BlobHash, size: u64) -> Result<u64, BlobError> {
        let _place = self.shelf.place(blob).await;
        match self.shelf.tree(blob).await? {
            Some((_, whole)) if whole == size => {
                // By an upload of the same bytes, beside what came of it until then.
                self.receiving.remove(blob, &self.space).await?;
                Ok(size)
            }
            Some(_) => Err(BlobError::NotHere),
            None => {
                let begun = self.receiving.begin(blob, size, &self.shelf, &self.space);
                begun.await
            }
        }
    }

    async fn remove(&self, blob: BlobHash) -> Result<bool, BlobError> {
        let _place = self.shelf.place(blob).await;
        if self.uploads.show(blob) {
            return Ok(false);
        }
        if let Some((_, size)) = self.shelf.tree(blob).await? {
            self.shelf.remove(blob).await?;
            self.space.give_back(size, 0);
        }
        self.receiving.remove(blob, &self.space).await?;
        Ok(true)
    }

    fn list(&self, after: Option<BlobHash>, limit: usize) -> Result<Vec<BlobHash>, BlobError> {
        let mut page = Page::behind(after, limit);
        self.shelf.add_to(&mut page).map_err(failed)?;
        self.receiving.add_to(&mut page).map_err(failed)?;
        Ok(page.into_files())
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
        self.carried(async move |store| store.uploads.begin(upload, &store.space).await)
            .await
    }

    fn upload(&self, id: UploadId) -> Option<Upload> {
        self.0.uploads.get(id)
    }

    fn uploads(&self) -> Vec<Upload> {
        self.0.uploads.all()
    }

    async fn append(&self, id: UploadId, offset: u64, piece: Bytes) -> Result<u64, BlobError> {
        self.carried(async move |store| {
            let appended = store.uploads.append(id, offset, piece, &store.space);
            appended.await
        })
        .await
    }

    async fn commit(&self, id: UploadId) -> Result<Upload, BlobError> {
        self.carried(async move |store| store.uploads.commit(id, &store.shelf, &store.space).await)
            .await
    }

    async fn forget_upload(&self, id: UploadId) -> Result<(), BlobError> {
        self.carried(async move |store| store.uploads.forget(id, &store.space).await)
            .await
    }

    async fn size_of(&self, blob: BlobHash) -> Result<Option<u64>, BlobError> {
        Ok(self.0.shelf.tree(blob).await?.map(|(_, size)| size))
    }

    async fn read(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        self.0.verified(blob, offset, length, false).await
    }

    async fn prove(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        self.0.verified(blob, offset, length, true).await
    }

    async fn begin_receive(&self, blob: BlobHash, size: u64) -> Result<u64, BlobError> {
        self.carried(async move |store| store.begin_receive(blob, size).await)
            .await
    }

    async fn receive(&self, blob: BlobHash, length: u64, proof: Bytes) -> Result<u64, BlobError> {
        self.carried(async move |store| {
            let Store {
                shelf,
                space,
                receiving,
                ..
            } = &*store;
            receiving.receive(blob, length, proof, shelf, space).await
        })
        .await
    }

    async fn end_receive(&self, blob: BlobHash) -> Result<(), BlobError> {
        self.carried(async move |store| {
            let _place = store.shelf.place(blob).await;
            store.receiving.end(blob, &store.space).await
        })
        .await
    }

    async fn remove(&self, blob: BlobHash) -> Result<bool, BlobError> {
        self.carried(async move |store| store.remove(blob).await)
            .await
    }

    async fn list(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<BlobHash>, BlobError> {
        let store = Arc::clone(&self.0);
        blocking(move || store.list(after, limit)).await?
    }
}
