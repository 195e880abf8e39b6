//! The tree of a whole file, made from its bytes: beside its place first, so that a tree under its name
//! is always whole and durable.

use std::io::{self, BufReader};
use std::path::Path;

use tongban_types::BlobHash;

use crate::files;
use crate::limits::HASHING_BYTES;
use crate::proof;

/// Hashes a file of `size` bytes and puts its tree, synced, under `tree`.
pub(crate) fn build(bytes: &Path, size: u64, tree: &Path) -> io::Result<BlobHash> {
    let aside = tree.with_extension("tree-new");
    let mut pairs = files::create(&aside)?;
    let whole = BufReader::with_capacity(HASHING_BYTES, files::open(bytes, false)?);
    let blob = proof::build(whole, size, &mut pairs)?;
    pairs.sync_all()?;
    files::put(&aside, tree)?;
    Ok(blob)
}
