//! Files of a machine in memory. A shelf knows what every hash stands for, as a proof would show it, and
//! may be made to prove something else, or nothing, and to claim what it does not have.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tongban_runtime::{BlobError, BlobStore, Upload, UploadId};
use tongban_sim::runtime::lock;
use tongban_types::{Attachment, BlobHash, Hash, Timestamp, sha256};

/// The bytes each hash stands for, wherever they lie.
pub(super) type Known = Arc<Mutex<BTreeMap<BlobHash, Bytes>>>;

/// The files of one machine.
pub(super) struct Shelf {
    known: Known,
    lies: AtomicBool,
    is_silent: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    uploads: BTreeMap<UploadId, (Upload, Vec<u8>)>,
    whole: BTreeMap<BlobHash, Bytes>,
    coming: BTreeMap<BlobHash, Vec<u8>>,
    claimed: BTreeMap<BlobHash, u64>,
}

impl Shelf {
    pub(super) fn new(known: &Known) -> Arc<Self> {
        Arc::new(Self {
            known: known.clone(),
            lies: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            kept: Mutex::default(),
        })
    }

    /// Whether a file is here as a whole.
    pub(super) fn holds(&self, blob: BlobHash) -> bool {
        lock(&self.kept).whole.contains_key(&blob)
    }

    /// From now on it proves what is not the file, or the file again.
    pub(super) fn set_lying(&self, lies: bool) {
        self.lies.store(lies, Ordering::Relaxed);
    }

    /// From now on it proves nothing, and leaves whoever asks waiting.
    pub(super) fn fall_silent(&self) {
        self.is_silent.store(true, Ordering::Relaxed);
    }

    /// From now on it says that it has a file, of which it only heard.
    pub(super) fn claim(&self, file: &Attachment) {
        lock(&self.kept).claimed.insert(file.blob, file.size);
    }

    fn range(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        let kept = lock(&self.kept);
        let bytes = kept.whole.get(&blob).ok_or(BlobError::NotHere)?;
        let (from, size) = (place(offset), bytes.len());
        if from > size {
            return Err(BlobError::NotHere);
        }
        Ok(bytes.slice(from..size.min(from + place(length))))
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("files of these worlds are small")
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("files of these worlds are small")
}

#[async_trait]
impl BlobStore for Shelf {
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
        lock(&self.kept).uploads.insert(id, (upload, Vec::new()));
        Ok(upload)
    }

    fn upload(&self, id: UploadId) -> Option<Upload> {
        let kept = lock(&self.kept);
        kept.uploads.get(&id).map(|(upload, _)| *upload)
    }

    fn uploads(&self) -> Vec<Upload> {
        let kept = lock(&self.kept);
        kept.uploads.values().map(|(upload, _)| *upload).collect()
    }

    async fn append(&self, id: UploadId, offset: u64, piece: Bytes) -> Result<u64, BlobError> {
        let mut kept = lock(&self.kept);
        let (upload, bytes) = kept.uploads.get_mut(&id).ok_or(BlobError::UploadUnknown)?;
        if offset != upload.offset {
            let (stands, given) = (upload.offset, offset);
            return Err(BlobError::Offset { stands, given });
        }
        bytes.extend_from_slice(&piece);
        upload.offset = count(bytes.len());
        Ok(upload.offset)
    }

    async fn commit(&self, id: UploadId) -> Result<Upload, BlobError> {
        let mut kept = lock(&self.kept);
        let (upload, bytes) = kept.uploads.get_mut(&id).ok_or(BlobError::UploadUnknown)?;
        if upload.offset < upload.length {
            return Ok(*upload);
        }
        let blob = BlobHash(sha256(bytes).0);
        upload.blob = Some(blob);
        let (upload, bytes) = (*upload, Bytes::copy_from_slice(bytes));
        kept.whole.insert(blob, bytes.clone());
        lock(&self.known).insert(blob, bytes);
        Ok(upload)
    }

    async fn forget_upload(&self, id: UploadId) -> Result<(), BlobError> {
        let forgotten = lock(&self.kept).uploads.remove(&id);
        forgotten.map(drop).ok_or(BlobError::UploadUnknown)
    }

    async fn size_of(&self, blob: BlobHash) -> Result<Option<u64>, BlobError> {
        let kept = lock(&self.kept);
        let whole = kept.whole.get(&blob).map(|bytes| count(bytes.len()));
        Ok(whole.or_else(|| kept.claimed.get(&blob).copied()))
    }

    async fn read(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        self.range(blob, offset, length)
    }

    async fn prove(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError> {
        if self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let mut proven = self.range(blob, offset, length)?.to_vec();
        if self.lies.load(Ordering::Relaxed)
            && let Some(last) = proven.last_mut()
        {
            *last ^= 1;
        }
        Ok(Bytes::from(proven))
    }

    async fn begin_receive(&self, blob: BlobHash, size: u64) -> Result<u64, BlobError> {
        let mut kept = lock(&self.kept);
        match kept.whole.get(&blob) {
            Some(whole) if count(whole.len()) == size => Ok(size),
            Some(_) => Err(BlobError::NotHere),
            None => Ok(count(kept.coming.entry(blob).or_default().len())),
        }
    }

    async fn receive(&self, blob: BlobHash, length: u64, proof: Bytes) -> Result<u64, BlobError> {
        let known = lock(&self.known).get(&blob).cloned();
        let known = known.ok_or(BlobError::NotHere)?;
        let mut kept = lock(&self.kept);
        let coming = kept.coming.get_mut(&blob).ok_or(BlobError::NotHere)?;
        let (from, upto) = (coming.len(), coming.len() + place(length));
        if known.get(from..upto) != Some(&proof[..]) {
            let offset = count(from);
            return Err(BlobError::Lied { offset });
        }
        coming.extend_from_slice(&proof);
        if upto == known.len() {
            kept.coming.remove(&blob);
            kept.whole.insert(blob, known);
        }
        Ok(count(upto))
    }

    async fn end_receive(&self, _: BlobHash) -> Result<(), BlobError> {
        Ok(())
    }

    async fn remove(&self, blob: BlobHash) -> Result<bool, BlobError> {
        let mut kept = lock(&self.kept);
        let mut uploads = kept.uploads.values();
        if uploads.any(|(upload, _)| upload.blob == Some(blob)) {
            return Ok(false);
        }
        kept.whole.remove(&blob);
        kept.coming.remove(&blob);
        Ok(true)
    }

    async fn list(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<BlobHash>, BlobError> {
        let kept = lock(&self.kept);
        let mut found: Vec<BlobHash> = kept
            .whole
            .keys()
            .chain(kept.coming.keys())
            .copied()
            .collect();
        found.sort_unstable();
        found.retain(|blob| after.is_none_or(|after| *blob > after));
        found.truncate(limit);
        Ok(found)
    }
}
