//! Files of cases: who may name, see and fetch them. Bytes are the store's; here is which case names
//! which file, and what is let go when none does.

mod fetching;
mod handle;
mod limits;
mod references;
mod serving;
mod sweeping;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::lock::Mutex as AsyncMutex;
use tongban_types::{Attachment, BlobHash, CaseNumber, CommandId, Hash, limits as bounds};

use self::fetching::Fetch;
use self::references::References;
use self::sweeping::Swept;
use crate::blob_store::{BlobError, BlobStore, Upload, UploadId};
use crate::core::Core;
use crate::desk::Desk;
use crate::handle::NodeError;
use crate::seams::{Entropy, Platform};
use crate::vault::Vault;

pub use handle::Attachments;

/// Files of this node's cases.
pub(crate) struct Files<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    desk: Arc<Desk<P>>,
    store: Arc<dyn BlobStore>,
    references: References,
    fetches: Mutex<BTreeMap<BlobHash, Arc<Fetch<P>>>>,
    swept: Mutex<Swept>,
    /// Held while a file is looked for and named, or looked for and let go.
    naming: AsyncMutex<()>,
}

impl<P: Platform> Files<P> {
    pub(crate) fn new(
        core: Arc<Core<P>>,
        vault: Arc<Vault<P>>,
        desk: Arc<Desk<P>>,
        store: Arc<dyn BlobStore>,
    ) -> Self {
        let references = References::over(core.local.clone());
        Self {
            core,
            vault,
            desk,
            store,
            references,
            fetches: Mutex::default(),
            swept: Mutex::default(),
            naming: AsyncMutex::new(()),
        }
    }

    pub(crate) async fn begin_upload(&self, owner: Hash, length: u64) -> Result<Upload, BlobError> {
        let id = UploadId(self.core.entropy.array());
        let expires = self.core.now().plus_ms(limits::UPLOAD_LIFE_MS);
        self.store.begin_upload(id, owner, length, expires).await
    }

    /// An upload as its owner sees it: another's, or an expired one, is none.
    pub(crate) fn upload_of(&self, owner: Hash, id: UploadId) -> Result<Upload, BlobError> {
        let now = self.core.now();
        self.store
            .upload(id)
            .filter(|upload| upload.owner == owner && now < upload.expires)
            .ok_or(BlobError::UploadUnknown)
    }

    pub(crate) async fn append(
        &self,
        owner: Hash,
        id: UploadId,
        offset: u64,
        piece: Bytes,
    ) -> Result<u64, BlobError> {
        self.upload_of(owner, id)?;
        self.store.append(id, offset, piece).await
    }

    pub(crate) async fn commit(&self, owner: Hash, id: UploadId) -> Result<Upload, BlobError> {
        self.upload_of(owner, id)?;
        self.store.commit(id).await
    }

    pub(crate) async fn cancel(&self, owner: Hash, id: UploadId) -> Result<(), BlobError> {
        self.upload_of(owner, id)?;
        self.store.forget_upload(id).await
    }

    /// The length of a file this owner uploaded as a whole. One that others uploaded is none: a hash
    /// heard of somewhere opens nothing.
    pub(crate) fn uploaded(&self, owner: Hash, blob: BlobHash) -> Option<u64> {
        let now = self.core.now();
        let mut theirs = self.store.uploads().into_iter().filter(|upload| {
            upload.owner == owner && upload.blob == Some(blob) && now < upload.expires
        });
        theirs.next().map(|upload| upload.length)
    }

    /// Before an order that names files is given: they are here, and stay while the order is. Returns
    /// those that were not kept for it by an attempt before.
    pub(crate) async fn pin(
        &self,
        id: CommandId,
        case: Option<CaseNumber>,
        files: &[Attachment],
    ) -> Result<Vec<BlobHash>, NodeError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        if files.len() > bounds::ATTACHMENTS_MAX {
            return Err(NodeError::TooManyAttachments {
                most: bounds::ATTACHMENTS_MAX,
            });
        }
        let until = self.core.now().plus_ms(limits::PIN_LIFE_MS);
        let _naming = self.naming.lock().await;
        for file in files {
            if self.store.size_of(file.blob).await? != Some(file.size) {
                return Err(BlobError::NotHere.into());
            }
        }
        let written = self.references.pin(id, case, files, until).await;
        written.map_err(|error| NodeError::Failed(error.to_string()))
    }

    /// The length of a file that an order with this id names already: it is answered as it was,
    /// whatever became of the upload.
    pub(crate) async fn named_by(&self, id: CommandId, blob: BlobHash) -> Option<u64> {
        let names = |case| self.references.names(case, blob);
        let became = || self.case_of(id).ok().flatten();
        let is_named = self.references.has_pin(id, blob) || became().is_some_and(names);
        if !is_named {
            return None;
        }
        self.store.size_of(blob).await.ok().flatten()
    }

    /// Once the order has its case, or is refused for good.
    pub(crate) async fn unpin(
        &self,
        id: CommandId,
        case: Option<CaseNumber>,
        blobs: &[BlobHash],
    ) -> Result<(), NodeError> {
        if blobs.is_empty() {
            return Ok(());
        }
        let written = self.references.unpin(id, case, blobs).await;
        written.map_err(|error| NodeError::Failed(error.to_string()))
    }

    /// Bytes of a file of a case, verified; fetched from another party if they are not here yet.
    pub(crate) async fn read(
        self: &Arc<Self>,
        case: CaseNumber,
        file: &Attachment,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, NodeError> {
        let group = 1024_u64 << bounds::BLOB_GROUP_LOG;
        let end = offset.saturating_add(length).min(file.size);
        if offset >= end {
            return Ok(Bytes::new());
        }
        let from = offset / group * group;
        let upto = end.div_ceil(group).saturating_mul(group).min(file.size);
        loop {
            let read = self.store.read(file.blob, from, upto - from).await;
            match read {
                Ok(bytes) => {
                    if let Some(fetch) = self.fetches().get(&file.blob) {
                        fetch.want();
                    }
                    let first = usize::try_from(offset - from).unwrap_or(usize::MAX);
                    let last = usize::try_from(end - from).unwrap_or(usize::MAX);
                    return Ok(bytes.slice(first.min(bytes.len())..last.min(bytes.len())));
                }
                Err(BlobError::NotHere) => self.until_fetched(case, file, upto).await?,
                Err(error) => {
                    if matches!(error, BlobError::Damaged { .. }) {
                        let code = error.code();
                        tracing::error!(%case, %code, offset, "a stored file is damaged and not served");
                    }
                    return Err(error.into());
                }
            }
        }
    }

    fn fetches(&self) -> std::sync::MutexGuard<'_, BTreeMap<BlobHash, Arc<Fetch<P>>>> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
