//! Proofs of ranges of files whose hashes are known. An input is the number of a file, where the range
//! begins and how long it is, in groups, and the proof.

use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use tongban_types::BlobHash;

use crate::proof::{self, GROUP_BYTES, ProofFault};

/// Lengths of the files: in one group and in several, whole and broken ones.
const LENGTHS: [u64; 5] = [1, 1_024, GROUP_BYTES, GROUP_BYTES + 1, 3 * GROUP_BYTES + 77];

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| LENGTHS.map(File::of_length).into());

/// A file, and the tree over it.
struct File {
    bytes: Vec<u8>,
    blob: BlobHash,
    pairs: Vec<u8>,
}

impl File {
    fn of_length(length: u64) -> Self {
        let mut bytes = vec![0; place(length)];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        let mut pairs = Vec::new();
        let blob = proof::build(&bytes[..], length, &mut pairs).expect("memory takes it");
        Self { bytes, blob, pairs }
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// A range that may be asked for: aligned and not empty.
    fn range(&self, first: u8, more: u8) -> Range<u64> {
        let groups = self.size().div_ceil(GROUP_BYTES);
        let first = u64::from(first) % groups;
        let last = (first + 1 + u64::from(more) % groups).min(groups);
        let range = first * GROUP_BYTES..(last * GROUP_BYTES).min(self.size());
        assert!(proof::is_aligned(&range, self.size()) && !range.is_empty());
        range
    }

    fn part(&self, range: &Range<u64>) -> &[u8] {
        &self.bytes[place(range.start)..place(range.end)]
    }

    /// What a holder sends of a range.
    fn proof_of(&self, range: &Range<u64>) -> Vec<u8> {
        let mut proof = Vec::new();
        proof::check(
            self.blob,
            self.size(),
            range,
            self.part(range),
            self.pairs.as_slice(),
            Some(&mut proof),
        )
        .expect("the tree is the file's own");
        proof
    }
}

/// Takes any bytes for a proof. What is kept of them is of the file, whole groups in order; only the proof that a
/// holder sends is taken to its end.
pub fn accept(input: &[u8]) {
    let Some((&[file, first, more], sent)) = input.split_first_chunk::<3>() else {
        return;
    };
    let file = &FILES[usize::from(file) % FILES.len()];
    let range = file.range(first, more);
    let (whole, sent) = (file.part(&range), Bytes::copy_from_slice(sent));
    let (mut pairs, mut kept) = (Vec::<u8>::new(), Vec::<u8>::new());
    let keep = |group: &[u8]| {
        kept.extend_from_slice(group);
        Ok(())
    };
    let taken = proof::accept(file.blob, file.size(), &range, &sent, &mut pairs, keep);
    assert!(whole.starts_with(&kept), "what is kept is of the file");
    let is_whole = kept.len() == whole.len();
    assert!(is_whole || kept.len().is_multiple_of(place(GROUP_BYTES)));
    match taken {
        Ok(()) => {
            assert!(is_whole, "a proof that is taken has the whole range");
            assert!(sent == file.proof_of(&range), "a range has one proof");
            let (blob, pairs) = (file.blob, pairs.as_slice());
            proof::check(blob, file.size(), &range, &kept, pairs, None)
                .expect("what was taken is served from here");
        }
        Err(ProofFault::Mismatch) => {}
        Err(ProofFault::Io(error)) => panic!("memory takes everything: {error}"),
    }
}

/// The whole of each file as its holder sends it, and the last group alone.
pub fn samples() -> Vec<(String, Vec<u8>)> {
    let mut samples = Vec::new();
    for (number, file) in (0_u8..).zip(FILES.iter()) {
        for (name, first, more) in [("whole", 0, 3), ("last", 3, 0)] {
            let mut input = vec![number, first, more];
            input.extend(file.proof_of(&file.range(first, more)));
            samples.push((format!("{name}-{number}"), input));
        }
    }
    samples
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("the files are short")
}
