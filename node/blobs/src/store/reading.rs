//! Ranges of files, verified as they are read, for readers here and elsewhere.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use tongban_runtime::BlobError;
use tongban_types::BlobHash;

use super::Store;
use crate::limits::RANGE_BYTES_MAX;
use crate::proof::{self, ProofFault};
use crate::receiving::Verified;
use crate::shelf::{blocking, failed};

impl Store {
    /// Reads and verifies a range of a whole file or of one that comes; with its proof if asked.
    pub(super) async fn verified(
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
            match read_coming(blob, coming, offset, length, with_proof).await {
                // It may have become whole by an upload meanwhile.
                Err(BlobError::NotHere) => {}
                read => return read,
            }
        }
        let (tree, size) = self.shelf.tree(blob).await?.ok_or(BlobError::NotHere)?;
        let (range, wanted) = range_of(offset, length, size)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes = self.shelf.read(blob, offset, wanted).await?;
        let checked = blocking(move || check(blob, size, &range, bytes, &tree, with_proof));
        checked.await?
    }
}

/// Reads through the files the receiver holds: they can be read also while they get their places.
async fn read_coming(
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
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    let read = move || {
        let mut bytes = vec![0; wanted];
        let file = coming.opened.bytes();
        file.read_exact_at(&mut bytes, offset).map_err(failed)?;
        let tree = coming.opened.tree();
        check(
            blob,
            coming.size,
            &range,
            Bytes::from(bytes),
            tree,
            with_proof,
        )
    };
    blocking(read).await?
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
