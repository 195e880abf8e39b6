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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        let mut reader = blake3::Hasher::new().finalize_xof();
        reader.fill(&mut bytes);
        bytes
    }

    fn built(bytes: &[u8]) -> (BlobHash, Vec<u8>) {
        let mut pairs = Vec::new();
        let blob = build(bytes, bytes.len() as u64, &mut pairs).unwrap();
        (blob, pairs)
    }

    fn proven(bytes: &[u8], range: Range<u64>) -> (BlobHash, Vec<u8>) {
        let (blob, pairs) = built(bytes);
        let part =
            &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        let mut proof = Vec::new();
        check(
            blob,
            bytes.len() as u64,
            &range,
            part,
            pairs.as_slice(),
            Some(&mut proof),
        )
        .unwrap();
        (blob, proof)
    }

    fn taken(
        blob: BlobHash,
        size: usize,
        range: Range<u64>,
        proof: &[u8],
    ) -> (Vec<u8>, Result<(), ProofFault>) {
        let (mut kept, mut pairs) = (Vec::new(), Vec::new());
        let proof = Bytes::copy_from_slice(proof);
        let result = accept(blob, size as u64, &range, &proof, &mut pairs, |group| {
            kept.extend_from_slice(group);
            Ok(())
        });
        (kept, result)
    }

    /// Sizes at and around the borders of chunks, groups and powers of two of groups.
    fn sizes() -> impl Strategy<Value = usize> {
        let border = prop::sample::select(vec![0_usize, 1, 2, 3, 4, 5, 8, 9, 16]);
        (border, -2_i32..=2, 0..16_384_usize, any::<bool>()).prop_map(
            |(groups, near, far, is_near)| {
                let base = groups * 16_384;
                if is_near {
                    base.saturating_add_signed(near as isize)
                } else {
                    base + far
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn any_range_of_any_file_is_proven_and_its_root_is_the_plain_hash(
            size in sizes(), first in 0..20_u64, groups in 1..20_u64,
        ) {
            let bytes = file(size);
            let (blob, _) = built(&bytes);
            prop_assert_eq!(blob.0, *blake3::hash(&bytes).as_bytes());
            let end = (size as u64).max(1);
            let start = (first * GROUP_BYTES).min((end - 1) / GROUP_BYTES * GROUP_BYTES);
            let range = start..(start + groups * GROUP_BYTES).min(size as u64);
            prop_assert!(is_aligned(&range, size as u64));
            prop_assume!(!range.is_empty());
            let (blob, proof) = proven(&bytes, range.clone());
            let (kept, result) = taken(blob, size, range.clone(), &proof);
            prop_assert!(result.is_ok(), "{result:?}");
            let at = |offset| usize::try_from(offset).unwrap();
            prop_assert_eq!(&kept[..], &bytes[at(range.start)..at(range.end)]);
        }

        #[test]
        fn one_changed_bit_is_caught_before_its_group_is_kept(
            size in 40_000..200_000_usize, at in any::<prop::sample::Index>(), bit in 0..8_u32,
        ) {
            let bytes = file(size);
            let range = 0..size as u64;
            let (blob, mut proof) = proven(&bytes, range.clone());
            let at = at.index(proof.len());
            proof[at] ^= 1 << bit;
            let (kept, result) = taken(blob, size, range, &proof);
            prop_assert!(matches!(result, Err(ProofFault::Mismatch)));
            prop_assert_eq!(&kept[..], &bytes[..kept.len()], "what was kept is true");
        }
    }

    #[test]
    fn a_proof_that_is_short_long_or_of_another_range_is_refused() {
        let bytes = file(100_000);
        let (blob, proof) = proven(&bytes, 0..32_768);
        for bad in [&proof[..proof.len() - 1], &[], &[&proof[..], &[0]].concat()] {
            assert!(taken(blob, 100_000, 0..32_768, bad).1.is_err());
        }
        assert!(taken(blob, 100_000, 32_768..65_536, &proof).1.is_err());
        // A false length is seen at the last group, whose place in the tree it changes.
        let (_, last) = proven(&bytes, 81_920..100_000);
        assert!(taken(blob, 100_000, 81_920..100_000, &last).1.is_ok());
        assert!(taken(blob, 99_999, 81_920..99_999, &last).1.is_err());
    }

    #[test]
    fn changed_bytes_and_a_changed_tree_are_both_noticed_on_reading() {
        let bytes = file(100_000);
        let (blob, pairs) = built(&bytes);
        let range = 16_384..49_152;
        let mut part = bytes[16_384..49_152].to_vec();
        let sound = check(blob, 100_000, &range, &part, pairs.as_slice(), None);
        assert!(sound.is_ok());
        part[20_000] ^= 1;
        assert!(check(blob, 100_000, &range, &part, pairs.as_slice(), None).is_err());
        part[20_000] ^= 1;
        let mut other = pairs.clone();
        other[3] ^= 1;
        assert!(check(blob, 100_000, &range, &part, other.as_slice(), None).is_err());
    }
}
