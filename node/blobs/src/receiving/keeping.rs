//! What of a file was verified, on the disk: kept group by group as it comes, and looked at again when a
//! file is taken up.

use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use bytes::Bytes;
use tongban_types::BlobHash;

use crate::part::{OpenedPart, Part, PartPaths};
use crate::proof::{self, GROUP_BYTES, ProofFault};

/// Takes up what came before, as far as it is true of a file of this size, or begins anew. Returns also
/// how many bytes lay here.
pub(super) fn take_up(blob: BlobHash, size: u64, paths: &PartPaths) -> io::Result<(Part, u64)> {
    let before = std::fs::metadata(&paths.bytes).map_or(0, |it| it.len());
    if before > 0 && paths.offsets.exists() && paths.tree.exists() {
        let part = Part::open(paths, true)?;
        // A whole file that a crash left here goes through its last group again.
        let verified = part.written().min(size.saturating_sub(1)) / GROUP_BYTES * GROUP_BYTES;
        if leads_to(blob, size, verified, &part.opened())? {
            return Ok((part.back_to(verified)?, before));
        }
    }
    Ok((Part::create(paths, true)?, before))
}

/// Whether the last kept group has its place in a file of this size: kept under another size it has not.
fn leads_to(blob: BlobHash, size: u64, upto: u64, opened: &OpenedPart) -> io::Result<bool> {
    let Some(from) = upto.checked_sub(GROUP_BYTES) else {
        return Ok(true);
    };
    let mut group = vec![0; usize::try_from(GROUP_BYTES).expect("16 KiB")];
    opened.bytes().read_exact_at(&mut group, from)?;
    let checked = proof::check(blob, size, &(from..upto), &group, opened.tree(), None);
    Ok(checked.is_ok())
}

/// Keeps each group as soon as it holds: a liar's first bad group ends the range, the good ones
/// before it stay.
pub(super) fn take(
    part: &mut Part,
    blob: BlobHash,
    size: u64,
    range: &Range<u64>,
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
