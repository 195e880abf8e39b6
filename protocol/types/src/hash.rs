//! SHA-256 (FIPS 180-4) and the Merkle tree of RFC 6962 over it: leaves are hashed with 0x00 in
//! front, nodes with 0x01, so that a node can never pass for a leaf.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A SHA-256 value, 32 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub [u8; 32]);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({}…)", HEXLOWER.encode(&self.0[..6]))
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// SHA-256 of several parts, each behind its length (8 bytes, big endian), so that moving a byte
/// from one part to the next changes the value.
pub fn sha256_parts(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// RFC 6962 leaf: SHA-256(0x00 ‖ bytes).
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(bytes);
    Hash(hasher.finalize().into())
}

fn node_hash(left: Hash, right: Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Hash(hasher.finalize().into())
}

/// RFC 6962 §2.1 root over leaf hashes; of none, SHA-256 of nothing.
pub fn merkle_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(merkle_root(left), merkle_root(right))
        }
    }
}

/// RFC 6962 §2.1.1 audit path of the leaf at `index`, lowest first; `None` past the end.
pub fn merkle_path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    collect_path(leaves, index, &mut path);
    Some(path)
}

fn collect_path(leaves: &[Hash], index: usize, path: &mut Vec<Hash>) {
    if leaves.len() <= 1 {
        return;
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        collect_path(left, index, path);
        path.push(merkle_root(right));
    } else {
        collect_path(right, index - left.len(), path);
        path.push(merkle_root(left));
    }
}

/// The root of a tree and the audit paths of all its leaves, in order: what [`merkle_root`] and
/// [`merkle_path`] give, for the hashes of one tree instead of one a leaf.
pub fn merkle_paths(leaves: &[Hash]) -> (Hash, Vec<Vec<Hash>>) {
    let mut paths = vec![Vec::new(); leaves.len()];
    let root = match leaves {
        [] => merkle_root(leaves),
        _ => collect_paths(leaves, &mut paths),
    };
    (root, paths)
}

fn collect_paths(leaves: &[Hash], paths: &mut [Vec<Hash>]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (left_paths, right_paths) = paths.split_at_mut(middle);
    let left = collect_paths(left, left_paths);
    let right = collect_paths(right, right_paths);
    for path in left_paths {
        path.push(right);
    }
    for path in right_paths {
        path.push(left);
    }
    node_hash(left, right)
}

/// The root an audit path leads to (RFC 9162 §2.1.3.2); `None` if the path has the wrong length for
/// the tree or the index is past the end.
pub fn root_from_path(leaf: Hash, index: usize, count: usize, path: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, count - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        node /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// The largest power of two below `count`, for `count >= 2`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn a_path_leads_to_the_root_and_only_from_its_own_leaf() {
        for count in 1..70 {
            let leaves = leaves(count);
            let root = merkle_root(&leaves);
            for index in 0..count {
                let path = merkle_path(&leaves, index).unwrap();
                assert_eq!(
                    root_from_path(leaves[index], index, count, &path),
                    Some(root)
                );
                let other = leaf_hash(b"another");
                assert_ne!(root_from_path(other, index, count, &path), Some(root));
                if count > 1 {
                    let wrong = (index + 1) % count;
                    assert_ne!(
                        root_from_path(leaves[index], wrong, count, &path),
                        Some(root)
                    );
                    assert_eq!(
                        root_from_path(leaves[index], index, count, &path[1..]),
                        None
                    );
                }
                let mut long = path.clone();
                long.push(other);
                assert_ne!(
                    root_from_path(leaves[index], index, count, &long),
                    Some(root)
                );
            }
        }
    }

    #[test]
    fn all_paths_at_once_are_those_of_each_leaf() {
        for count in 0..70 {
            let leaves = leaves(count);
            let (root, paths) = merkle_paths(&leaves);
            assert_eq!(root, merkle_root(&leaves));
            let single = (0..count).map(|index| merkle_path(&leaves, index).unwrap());
            assert_eq!(paths, single.collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(
            merkle_root(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(sha256_parts(&[b"ab", b"c"]), sha256_parts(&[b"a", b"bc"]));
    }
}
