//! Where whole files lie: a folder, or an S3 store. Their trees are small and always in the folder,
//! with the file's length at the end; a file counts as here once its tree is.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::task::spawn_blocking;
use tongban_runtime::BlobError;
use tongban_types::BlobHash;

use crate::files;
use crate::proof;

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
    #[cfg(feature = "s3")]
    bucket: Option<s3::Bucket>,
}

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

    /// The tree of a file that is here, and the file's length.
    pub(crate) fn tree(&self, blob: BlobHash) -> Result<Option<(File, u64)>, BlobError> {
        let file = match File::open(self.tree_of(blob)) {
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
        if proof::tree(size).outboard_size() != pairs {
            return Err(BlobError::Damaged { offset: 0 });
        }
        Ok(Some((file, size)))
    }

    /// Puts a synced file and its synced tree, without the length at its end yet, on the shelf. What
    /// lies there already is the same.
    pub(crate) async fn put(
        &self,
        blob: BlobHash,
        size: u64,
        bytes: PathBuf,
        tree: PathBuf,
    ) -> Result<(), BlobError> {
        #[cfg(feature = "s3")]
        if let Some(bucket) = self.bucket.as_ref().filter(|_| bytes.exists()) {
            bucket.put(blob, &bytes).await?;
            files::remove(&bytes).map_err(failed)?;
        }
        let (whole, shelved) = (self.bytes_of(blob), self.tree_of(blob));
        let put = move || {
            // Taken up after a crash between the two names, the bytes may have theirs already.
            if bytes.exists() {
                files::put(&bytes, &whole)?;
            }
            let file = files::open(&tree, false)?;
            file.write_all_at(&size.to_le_bytes(), proof::tree(size).outboard_size())?;
            file.sync_all()?;
            files::put(&tree, &shelved)
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

    /// Removes a file, its tree first, so that half of it is never taken for whole.
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

    /// Whole files, in order of their hashes.
    pub(crate) fn list(&self) -> Result<Vec<BlobHash>, BlobError> {
        let names = files::names(&self.trees).map_err(failed)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes bytes whose tree never came: what a crash left between the two.
    pub(crate) fn tidy(&self, is_expected: impl Fn(BlobHash) -> bool) -> io::Result<()> {
        for name in files::names(&self.whole)? {
            let blob: Option<BlobHash> = name.parse().ok();
            let stays = blob.is_some_and(|blob| self.tree_of(blob).exists() || is_expected(blob));
            if !stays {
                files::remove(&self.whole.join(&name))?;
            }
        }
        Ok(())
    }
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
