//! Proofs of ranges: what is true passes, and nothing else does.

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
    let part = &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
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
    (border, -2_i32..=2, 0..16_384_usize, any::<bool>()).prop_map(|(groups, near, far, is_near)| {
        let base = groups * 16_384;
        if is_near {
            base.saturating_add_signed(near as isize)
        } else {
            base + far
        }
    })
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
