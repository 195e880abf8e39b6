//! What a start finds on the shelf: bytes that a crash left without a tree go, and a damaged tree is made
//! again from its bytes or set aside. One damaged file never keeps a node from starting.

use std::io;
use std::path::Path;

use tongban_runtime::BlobError;
use tongban_types::BlobHash;

use super::{Shelf, blocking, failed, put_tree, tree_at};
use crate::files;
use crate::hashing;

impl Shelf {
    /// Removes bytes whose tree never came: what a crash left between the two.
    pub(crate) fn tidy(&self, is_expected: impl Fn(BlobHash) -> bool) -> io::Result<()> {
        for name in files::names(&self.whole)? {
            let blob: Option<BlobHash> = name.parse().ok();
            let stays = blob.is_some_and(|blob| self.tree_of(blob).exists() || is_expected(blob));
            if !stays && !name.ends_with(files::DAMAGED) {
                files::remove(&self.whole.join(&name))?;
            }
        }
        Ok(())
    }

    /// Looks at the tree of every file; returns the bytes of all files that are here.
    pub(crate) async fn look_through(&self) -> Result<u64, BlobError> {
        let mut all = 0_u64;
        let names = files::names(&self.trees).map_err(failed)?;
        let blobs: Vec<BlobHash> = names.iter().filter_map(|it| it.parse().ok()).collect();
        for blob in blobs {
            let size = match self.tree(blob).await {
                Ok(found) => found.map_or(0, |(_, size)| size),
                Err(BlobError::Damaged { .. }) => self.mend(blob).await?,
                Err(error) => {
                    let code = error.code();
                    tracing::warn!(%code, %error, "the tree of a stored file cannot be read");
                    0
                }
            };
            all = all.saturating_add(size);
        }
        Ok(all)
    }

    /// Makes a damaged tree again, or sets file and tree aside: then it counts as not here.
    async fn mend(&self, blob: BlobHash) -> Result<u64, BlobError> {
        let (whole, tree) = (self.bytes_of(blob), self.tree_of(blob));
        let code = BlobError::Damaged { offset: 0 }.code();
        let mended = blocking(move || {
            if let Ok(Some(size)) = build_again(blob, &whole, &tree) {
                tracing::warn!(%code, "the damaged tree of a stored file was made again");
                return Ok(size);
            }
            tracing::warn!(%code, "a stored file is damaged and was set aside");
            files::set_aside(&tree)?;
            files::set_aside(&whole)?;
            Ok(0)
        });
        mended.await?.map_err(|error: io::Error| failed(error))
    }
}

/// The size of a file whose tree could be made from its bytes; `None` if they are another file's.
fn build_again(blob: BlobHash, whole: &Path, tree: &Path) -> io::Result<Option<u64>> {
    let size = std::fs::metadata(whole)?.len();
    let aside = tree.with_extension("again");
    let is_same = hashing::build(whole, size, &aside)? == blob;
    if is_same {
        put_tree(&aside, size, tree)?;
        debug_assert!(tree_at(tree).is_ok_and(|found| found.is_some()));
    } else {
        files::remove(&aside)?;
    }
    Ok(is_same.then_some(size))
}
