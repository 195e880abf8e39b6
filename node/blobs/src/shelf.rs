//! Where whole files lie: a folder, or an S3 store. Their trees are small and always in the folder,
//! with the file's length at the end; a file counts as here once its tree is.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncGuard};
use tokio::task::spawn_blocking;
use tongban_runtime::BlobError;
use tongban_types::{BlobHash, limits::BLOB_BYTES_MAX};

use crate::files;
use crate::limits::PLACE_LOCKS;
use crate::listing::Page;
use crate::proof;

mod mending;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "s3")]
pub use s3::S3Settings;

/// Which shelf a node has.
#[derive(Clone, Debug, Default)]
pub enum ShelfSettings {
    /// The node's own folder.
    #[default]
    Folder,
    /// A bucket of an S3-compatible store.
    #[cfg(feature = "s3")]
    S3(S3Settings),
}

/// Bytes of the length at the end of a tree's file.
const LENGTH_BYTES: u64 = 8;

/// The shelf.
#[derive(Debug)]
pub(crate) struct Shelf {
    whole: PathBuf,
    trees: PathBuf,
    places: [AsyncMutex<()>; PLACE_LOCKS],
    #[cfg(feature = "s3")]
    bucket: Option<s3::Bucket>,
}

/// Held while a file gets or loses its place, so that nobody puts what another lets go.
pub(crate) type Place<'a> = AsyncGuard<'a, ()>;

impl Shelf {
    pub(crate) fn open(root: &Path, settings: &ShelfSettings) -> Result<Self, BlobError> {
        let (whole, trees) = (root.join("whole"), root.join("trees"));
        for folder in [&whole, &trees] {
            files::make_folder(folder).map_err(failed)?;
        }
        #[cfg(not(feature = "s3"))]
        let ShelfSettings::Folder = settings;
        Ok(Self {
            whole,
            trees,
            places: std::array::from_fn(|_| AsyncMutex::new(())),
            #[cfg(feature = "s3")]
            bucket: match settings {
                ShelfSettings::Folder => None,
                ShelfSettings::S3(settings) => Some(s3::Bucket::open(settings)?),
            },
        })
    }

    fn bytes_of(&self, blob: BlobHash) -> PathBuf {
        self.whole.join(blob.to_string())
    }

    fn tree_of(&self, blob: BlobHash) -> PathBuf {
        self.trees.join(blob.to_string())
    }

    /// Waits until nobody else puts or removes the file.
    pub(crate) async fn place(&self, blob: BlobHash) -> Place<'_> {
        let lock = usize::from(blob.0[0]) % PLACE_LOCKS;
        self.places[lock].lock().await
    }

    /// The tree of a file that is here, and the file's length.
    pub(crate) async fn tree(&self, blob: BlobHash) -> Result<Option<(File, u64)>, BlobError> {
        let path = self.tree_of(blob);
        blocking(move || tree_at(&path)).await?
    }

    /// Puts a synced file and its synced tree, without the length at its end yet, on the shelf. Whoever
    /// calls holds the file's place.
    pub(crate) async fn put(
        &self,
        blob: BlobHash,
        size: u64,
        bytes: PathBuf,
        tree: PathBuf,
    ) -> Result<(), BlobError> {
        let (whole, shelved) = (self.bytes_of(blob), self.tree_of(blob));
        #[cfg(feature = "s3")]
        if let Some(bucket) = &self.bucket {
            let here = bytes.clone();
            // Taken up after a crash behind the upload, the bytes are in the bucket.
            if blocking(move || here.exists()).await? {
                bucket.put(blob, &bytes).await?;
                let removed = blocking(move || files::remove(&bytes));
                removed.await?.map_err(failed)?;
            }
            let put = move || put_tree(&tree, size, &shelved);
            return blocking(put).await?.map_err(failed);
        }
        let put = move || {
            // Taken up after a crash between the two names, the bytes may have theirs already.
            if bytes.exists() || !whole.exists() {
                files::put(&bytes, &whole)?;
            }
            put_tree(&tree, size, &shelved)
        };
        blocking(put).await?.map_err(failed)
    }

    /// Bytes of a whole file, not verified.
    pub(crate) async fn read(
        &self,
        blob: BlobHash,
        offset: u64,
        length: usize,
    ) -> Result<Bytes, BlobError> {
        #[cfg(feature = "s3")]
        if let Some(bucket) = &self.bucket {
            return bucket.read(blob, offset, length).await;
        }
        let path = self.bytes_of(blob);
        let read = move || {
            let mut bytes = vec![0; length];
            File::open(path)?.read_exact_at(&mut bytes, offset)?;
            Ok(Bytes::from(bytes))
        };
        blocking(read).await?.map_err(|error: io::Error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                return BlobError::Damaged { offset };
            }
            failed(error)
        })
    }

    /// Removes a file, its tree first, so that half of it is never taken for whole. Whoever calls holds
    /// its place.
    pub(crate) async fn remove(&self, blob: BlobHash) -> Result<(), BlobError> {
        let (whole, tree, trees) = (self.bytes_of(blob), self.tree_of(blob), self.trees.clone());
        let remove = move || {
            files::remove(&tree)?;
            files::sync_folder(&trees)?;
            files::remove(&whole)
        };
        blocking(remove).await?.map_err(failed)?;
        #[cfg(feature = "s3")]
        if let Some(bucket) = &self.bucket {
            bucket.remove(blob).await?;
        }
        Ok(())
    }

    /// Adds whole files to a page; reads a folder.
    pub(crate) fn add_to(&self, page: &mut Page) -> io::Result<()> {
        page.read_through(&self.trees, "")
    }
}

fn tree_at(path: &Path) -> Result<Option<(File, u64)>, BlobError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let all = file.metadata().map_err(failed)?.len();
    let mut length = [0; 8];
    let pairs = all
        .checked_sub(LENGTH_BYTES)
        .ok_or(BlobError::Damaged { offset: 0 })?;
    file.read_exact_at(&mut length, pairs).map_err(failed)?;
    let size = u64::from_le_bytes(length);
    let is_whole = size <= BLOB_BYTES_MAX && proof::tree(size).outboard_size() == pairs;
    if !is_whole {
        return Err(BlobError::Damaged { offset: 0 });
    }
    Ok(Some((file, size)))
}

fn put_tree(tree: &Path, size: u64, shelved: &Path) -> io::Result<()> {
    let file = files::open(tree, false)?;
    file.write_all_at(&size.to_le_bytes(), proof::tree(size).outboard_size())?;
    file.sync_all()?;
    files::put(tree, shelved)
}

/// Runs what waits for a disk where waiting is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BlobError> {
    spawn_blocking(work)
        .await
        .map_err(|_| BlobError::Failed("a task of the store was ended".to_owned()))
}

pub(crate) fn failed(error: impl std::fmt::Display) -> BlobError {
    BlobError::Failed(error.to_string())
}
