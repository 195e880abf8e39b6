//! The BLAKE3 tree over a file (bao), in groups of 16 KiB: made once, kept beside the file, and what
//! every range that is read or sent or received is checked against. A proof of a range is the
//! slice of the bao specification without the length in front: parents and groups in pre-order.

use std::io::{self, Read};
use std::ops::Range;

use bao_tree::io::outboard::PreOrderOutboard;
use bao_tree::io::sync::{Outboard, OutboardMut, ReadAt, WriteAt, outboard};
use bao_tree::iter::BaoChunk;
use bao_tree::{BaoTree, BlockSize, ChunkNum, ChunkRanges};
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use bytes::Bytes;
use tongban_types::{BlobHash, limits};

/// Bytes verified together.
pub(crate) const GROUP_BYTES: u64 = 1024 << limits::BLOB_GROUP_LOG;

const HASH_PAIR_BYTES: usize = 64;

/// Why a range is not what it should be.
#[derive(Debug)]
pub(crate) enum ProofFault {
    /// It does not lead to the root.
    Mismatch,
    /// The tree could not be read or written.
    Io(io::Error),
}

impl From<io::Error> for ProofFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The tree of a file of `size` bytes.
pub(crate) fn tree(size: u64) -> BaoTree {
    BaoTree::new(size, BlockSize::from_chunk_log(limits::BLOB_GROUP_LOG))
}

/// Hashes a whole file and writes the hash pairs of its tree.
pub(crate) fn build(
    bytes: impl Read,
    size: u64,
    pairs: &mut (impl WriteAt + Sized),
) -> io::Result<BlobHash> {
    let tree = tree(size);
    let mut pairs = PreOrderOutboard {
        root: blake3::Hash::from_bytes([0; 32]),
        tree,
        data: pairs,
    };
    let root = outboard(bytes, tree, &mut pairs)?;
    Ok(BlobHash(*root.as_bytes()))
}

/// Whether a range begins at a group, and ends at one or at the end of the file.
pub(crate) fn is_aligned(range: &Range<u64>, size: u64) -> bool {
    let ends = range.end == size || range.end.is_multiple_of(GROUP_BYTES);
    range.start.is_multiple_of(GROUP_BYTES) && ends && range.end <= size && range.start <= range.end
}

/// Checks bytes of a file against its tree. With `proof`, the proof is written there.
///
/// `range` is aligned and not empty, `bytes` are those of it.
pub(crate) fn check(
    blob: BlobHash,
    size: u64,
    range: &Range<u64>,
    bytes: &[u8],
    pairs: impl ReadAt,
    mut proof: Option<&mut Vec<u8>>,
) -> Result<(), ProofFault> {
    let tree = tree(size);
    let known = PreOrderOutboard {
        root: hash_of(blob),
        tree,
        data: pairs,
    };
    let ranges = chunks(range);
    let mut expected = vec![hash_of(blob)];
    let mut rest = bytes;
    for item in tree.ranges_pre_order_chunks_iter_ref(bound(&ranges, size), 0) {
        let next = expected.pop().ok_or(ProofFault::Mismatch)?;
        match item {
            BaoChunk::Parent {
                node,
                is_root,
                left,
                right,
                ..
            } => {
                let (l, r) = known.load(node)?.ok_or(ProofFault::Mismatch)?;
                if parent(&l, &r, is_root) != next {
                    return Err(ProofFault::Mismatch);
                }
                if let Some(proof) = proof.as_deref_mut() {
                    proof.extend_from_slice(l.as_bytes());
                    proof.extend_from_slice(r.as_bytes());
                }
                expected.extend(right.then_some(r));
                expected.extend(left.then_some(l));
            }
            BaoChunk::Leaf {
                start_chunk,
                size,
                is_root,
                ..
            } => {
                let (group, left) = rest.split_at_checked(size).ok_or(ProofFault::Mismatch)?;
                if leaf(start_chunk, group, is_root) != next {
                    return Err(ProofFault::Mismatch);
                }
                if let Some(proof) = proof.as_deref_mut() {
                    proof.extend_from_slice(group);
                }
                rest = left;
            }
        }
    }
    if rest.is_empty() && expected.is_empty() {
        Ok(())
    } else {
        Err(ProofFault::Mismatch)
    }
}

/// Checks a proof from elsewhere, group by group, and hands each group on as soon as it holds. The hash
/// pairs are kept, for the file is served from here later.
///
/// `range` is aligned and not empty.
pub(crate) fn accept(
    blob: BlobHash,
    size: u64,
    range: &Range<u64>,
    proof: &Bytes,
    pairs: &mut impl WriteAt,
    mut keep: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), ProofFault> {
    let tree = tree(size);
    let mut known = PreOrderOutboard {
        root: hash_of(blob),
        tree,
        data: pairs,
    };
    let ranges = chunks(range);
    let mut expected = vec![hash_of(blob)];
    let mut rest: &[u8] = proof;
    let mut take = |bytes: usize| {
        let (taken, left) = rest.split_at_checked(bytes).ok_or(ProofFault::Mismatch)?;
        rest = left;
        Ok::<_, ProofFault>(taken)
    };
    for item in tree.ranges_pre_order_chunks_iter_ref(bound(&ranges, size), 0) {
        let next = expected.pop().ok_or(ProofFault::Mismatch)?;
        match item {
            BaoChunk::Parent {
                node,
                is_root,
                left,
                right,
                ..
            } => {
                let pair = take(HASH_PAIR_BYTES)?;
                let (l, r) = (half(&pair[..32]), half(&pair[32..]));
                if parent(&l, &r, is_root) != next {
                    return Err(ProofFault::Mismatch);
                }
                known.save(node, &(l, r))?;
                expected.extend(right.then_some(r));
                expected.extend(left.then_some(l));
            }
            BaoChunk::Leaf {
                start_chunk,
                size,
                is_root,
                ..
            } => {
                let group = take(size)?;
                if leaf(start_chunk, group, is_root) != next {
                    return Err(ProofFault::Mismatch);
                }
                keep(group)?;
            }
        }
    }
    if rest.is_empty() && expected.is_empty() {
        Ok(())
    } else {
        Err(ProofFault::Mismatch)
    }
}

fn chunks(range: &Range<u64>) -> ChunkRanges {
    let last = range.end.div_ceil(GROUP_BYTES) * GROUP_BYTES;
    ChunkRanges::from(ChunkNum(range.start / 1024)..ChunkNum(last / 1024))
}

/// What goes beyond the file is cut, so that both ends walk the same part of the tree.
fn bound(ranges: &ChunkRanges, size: u64) -> &bao_tree::ChunkRangesRef {
    bao_tree::io::sync::truncate_ranges(ranges, size)
}

fn hash_of(blob: BlobHash) -> blake3::Hash {
    blake3::Hash::from_bytes(blob.0)
}

fn half(bytes: &[u8]) -> blake3::Hash {
    blake3::Hash::from_bytes(bytes.try_into().expect("half of a pair has 32 bytes"))
}

fn parent(left: &blake3::Hash, right: &blake3::Hash, is_root: bool) -> blake3::Hash {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if is_root {
        merge_subtrees_root(left, right, Mode::Hash)
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash).into()
    }
}

fn leaf(start: ChunkNum, group: &[u8], is_root: bool) -> blake3::Hash {
    if is_root {
        return blake3::hash(group);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(start.to_bytes());
    hasher.update(group);
    hasher.finalize_non_root().into()
}

#[cfg(test)]
mod tests;
