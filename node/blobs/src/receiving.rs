//! Files on their way in from other nodes: range after range in order, each verified before it is kept,
//! with the hash pairs of its proof. After a restart a file goes on from where it was durable.

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
use crate::part::{Part, PartPaths};
use crate::proof::{self, GROUP_BYTES, ProofFault};
use crate::shelf::{Shelf, blocking, failed};
use crate::space::Space;

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
    part: Arc<AsyncMutex<Option<Part>>>,
}

/// What of a file can be read while it is received.
#[derive(Debug)]
pub(crate) struct Verified {
    /// The file's length.
    pub(crate) size: u64,
    /// Bytes verified.
    pub(crate) upto: u64,
    /// Its files.
    pub(crate) paths: PartPaths,
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
            upto: entry.verified.load(Ordering::Acquire),
            paths: entry.paths.clone(),
        })
    }

    /// Begins or goes on; returns from where the file is missing.
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
            return Ok(entry.verified.load(Ordering::Acquire));
        }
        if self.entries().len() >= RECEIVING_MAX {
            return Err(BlobError::TooMany {
                most: RECEIVING_MAX,
            });
        }
        let paths = PartPaths::of(&self.folder, &blob.to_string());
        let opened = paths.clone();
        let part = blocking(move || {
            if opened.offsets.exists() && opened.bytes.exists() && opened.tree.exists() {
                return Part::open(&opened, true);
            }
            Part::create(&opened, true)
        });
        let part = part.await?.map_err(failed)?;
        // A whole file that a crash left here goes through its last group again.
        let verified = part.written().min(size.saturating_sub(1)) / GROUP_BYTES * GROUP_BYTES;
        let part = part.back_to(verified).map_err(failed)?;
        space.set_aside(size - verified)?;
        let entry = Arc::new(Entry {
            size,
            paths,
            verified: AtomicU64::new(verified),
            part: Arc::new(AsyncMutex::new(Some(part))),
        });
        let entry = Arc::clone(self.entries().entry(blob).or_insert(entry));
        if size == 0 {
            return self.finish_empty(blob, &entry, shelf, space).await;
        }
        Ok(entry.verified.load(Ordering::Acquire))
    }

    async fn finish_empty(
        &self,
        blob: BlobHash,
        entry: &Entry,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<u64, BlobError> {
        if blob.0 != *blake3::hash(&[]).as_bytes() {
            self.remove(blob, space).await?;
            return Err(BlobError::Lied { offset: 0 });
        }
        self.finish(blob, entry, shelf).await?;
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
        let mut part = entry.part.clone().lock_owned().await;
        let size = entry.size;
        let Some(offset) = part.as_ref().map(Part::written) else {
            return Ok(size);
        };
        let range = offset..offset.saturating_add(length).min(size);
        if range.is_empty() || !proof::is_aligned(&range, size) {
            return Err(BlobError::Lied { offset });
        }
        let (taken, upto) = blocking(move || {
            let part = part.as_mut().expect("looked at above");
            let taken = take(part, blob, size, &range, &proof);
            (taken, part.written())
        })
        .await?;
        // Good groups before a bad one stay.
        space.wrote(upto - offset);
        entry.verified.store(upto, Ordering::Release);
        taken.map_err(|fault| match fault {
            ProofFault::Mismatch => BlobError::Lied { offset },
            ProofFault::Io(error) => failed(error),
        })?;
        if upto == size {
            self.finish(blob, &entry, shelf).await?;
        }
        Ok(upto)
    }

    async fn finish(&self, blob: BlobHash, entry: &Entry, shelf: &Shelf) -> Result<(), BlobError> {
        let mut part = entry.part.clone().lock_owned().await;
        let Some(whole) = part.take() else {
            return Ok(());
        };
        blocking(move || whole.sync()).await?.map_err(failed)?;
        let paths = entry.paths.clone();
        shelf
            .put(blob, entry.size, paths.bytes.clone(), paths.tree.clone())
            .await?;
        self.entries().remove(&blob);
        blocking(move || paths.remove()).await?.map_err(failed)
    }

    /// Lets go of what came of a file so far.
    pub(crate) async fn remove(&self, blob: BlobHash, space: &Space) -> Result<(), BlobError> {
        let paths = PartPaths::of(&self.folder, &blob.to_string());
        if let Some(entry) = self.entries().remove(&blob) {
            let missing = entry.size - entry.verified.load(Ordering::Acquire);
            space.give_back(entry.size, missing);
        } else if let Ok(left) = std::fs::metadata(&paths.bytes) {
            space.give_back(left.len(), 0);
        }
        blocking(move || paths.remove()).await?.map_err(failed)
    }

    /// Files of which something came, in order of their hashes.
    pub(crate) fn list(&self) -> Result<Vec<BlobHash>, BlobError> {
        let names = files::names(&self.folder).map_err(failed)?;
        let parts = names.iter().filter_map(|name| name.strip_suffix(".part"));
        Ok(parts.filter_map(|name| name.parse().ok()).collect())
    }
}

/// Keeps each group as soon as it holds: a liar's first bad group ends the range, the good ones
/// before it stay.
fn take(
    part: &mut Part,
    blob: BlobHash,
    size: u64,
    range: &std::ops::Range<u64>,
    proof: &Bytes,
) -> Result<(), ProofFault> {
    let mut tree = part.tree().expect("it came with proofs").try_clone()?;
    let length = usize::try_from(range.end - range.start).unwrap_or(0);
    let mut held = Vec::with_capacity(length);
    let accepted = proof::accept(blob, size, range, proof, &mut tree, |group| {
        held.extend_from_slice(group);
        Ok(())
    });
    part.append(&held)?;
    accepted?;
    part.push()?;
    Ok(())
}
