//! What the store promises, over real files: what is answered survives a restart, a file lies once, what
//! comes from elsewhere or from the disk is true or is not given out, and room is bounded.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows only functions marked as tests, not what they stand on"
)]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;
use tongban_blobs::{Blobs, ShelfSettings, SpaceSettings};
use tongban_runtime::{BlobError, BlobStore, UploadId};
use tongban_types::{BlobHash, Hash, Timestamp};

#[cfg(feature = "s3")]
mod bucket;
mod ending;
mod finishing;
mod listing;
mod mending;

const MIB: u64 = 1024 * 1024;
const ME: Hash = Hash([1; 32]);
const ID: UploadId = UploadId([7; 16]);

fn space(quota_bytes: Option<u64>) -> SpaceSettings {
    SpaceSettings {
        quota_bytes,
        free_bytes_min: 0,
    }
}

async fn open(folder: &Path) -> Blobs {
    Blobs::open(folder, &ShelfSettings::Folder, space(None))
        .await
        .unwrap()
}

/// Bytes that no two places of a file have in common.
fn file(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

fn hash(bytes: &[u8]) -> BlobHash {
    BlobHash(*blake3::hash(bytes).as_bytes())
}

async fn append(store: &Blobs, id: UploadId, from: usize, bytes: &[u8]) {
    let mut at = from as u64;
    for piece in bytes.chunks(300_000) {
        let piece = Bytes::copy_from_slice(piece);
        at = store.append(id, at, piece).await.unwrap();
    }
}

async fn put(store: &Blobs, id: UploadId, bytes: &[u8]) -> BlobHash {
    let expires = Timestamp::default();
    let length = bytes.len() as u64;
    store.begin_upload(id, ME, length, expires).await.unwrap();
    append(store, id, 0, bytes).await;
    store.commit(id).await.unwrap().blob.unwrap()
}

async fn whole(store: &Blobs, blob: BlobHash, size: u64) -> Result<Vec<u8>, BlobError> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size {
        let piece = store.read(blob, bytes.len() as u64, MIB).await?;
        assert!(!piece.is_empty());
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn lies(folder: &Path, within: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join(within)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn what_is_uploaded_is_read_back_under_its_blake3_hash_also_after_a_restart() {
    let folder = TempDir::new().unwrap();
    for (number, size) in [0, 1, 16_384, 16_385, 3_000_000].into_iter().enumerate() {
        let bytes = file(size);
        let id = UploadId([u8::try_from(number).unwrap(); 16]);
        let store = open(folder.path()).await;
        let blob = put(&store, id, &bytes).await;
        assert_eq!(blob, hash(&bytes));
        drop(store);
        let again = open(folder.path()).await;
        assert_eq!(again.size_of(blob).await.unwrap(), Some(size as u64));
        assert_eq!(whole(&again, blob, size as u64).await.unwrap(), bytes);
        assert_eq!(again.upload(id).unwrap().blob, Some(blob));
    }
}

#[tokio::test]
async fn an_upload_goes_on_from_what_was_committed_and_a_torn_tail_is_cut() {
    let folder = TempDir::new().unwrap();
    let bytes = file(2_000_000);
    let store = open(folder.path()).await;
    let begun = store.begin_upload(ID, ME, 2_000_000, Timestamp::default());
    begun.await.unwrap();
    append(&store, ID, 0, &bytes[..700_000]).await;
    assert_eq!(store.commit(ID).await.unwrap().offset, 700_000);
    append(&store, ID, 700_000, &bytes[700_000..1_000_000]).await;
    drop(store);
    // The power went before the rest was durable: it may be zeros, or anything.
    let part = folder.path().join(format!("uploads/{ID}.part"));
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 1_000_000);
    let store = open(folder.path()).await;
    assert_eq!(store.upload(ID).unwrap().offset, 700_000);
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 700_000);
    let ahead = store.append(ID, 1_000_000, Bytes::from_static(b"x")).await;
    let stands = BlobError::Offset {
        stands: 700_000,
        given: 1_000_000,
    };
    assert_eq!(ahead, Err(stands));
    append(&store, ID, 700_000, &bytes[700_000..]).await;
    assert_eq!(store.commit(ID).await.unwrap().blob, Some(hash(&bytes)));
}

#[tokio::test]
async fn a_crash_at_each_step_of_finishing_leaves_the_file_whole() {
    let bytes = file(100_000);
    let blob = hash(&bytes);
    // The first: a tree that was being made again when the power went.
    for step in 0..4 {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path()).await;
        put(&store, ID, &bytes).await;
        drop(store);
        // Undo what came last, as if the crash had been before it.
        let (shelved, tree) = (
            folder.path().join(format!("whole/{blob}")),
            folder.path().join(format!("trees/{blob}")),
        );
        let uploads = folder.path().join("uploads");
        let pairs = std::fs::read(&tree).unwrap();
        let came = |step| if step == 0 { 64 } else { pairs.len() - 8 };
        if step < 3 {
            std::fs::remove_file(&tree).unwrap();
            std::fs::write(uploads.join(format!("{ID}.tree")), &pairs[..came(step)]).unwrap();
        }
        if step < 2 {
            std::fs::rename(&shelved, uploads.join(format!("{ID}.part"))).unwrap();
        }
        let store = open(folder.path()).await;
        assert_eq!(
            whole(&store, blob, 100_000).await.unwrap(),
            bytes,
            "step {step}"
        );
        let mut left = lies(folder.path(), "uploads");
        left.retain(|path| path.extension().is_some_and(|it| it != "head"));
        assert!(left.is_empty(), "step {step}: {left:?}");
    }
}

#[tokio::test]
async fn the_same_bytes_lie_once() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let bytes = file(50_000);
    let first = put(&store, ID, &bytes).await;
    let second = put(&store, UploadId([8; 16]), &bytes).await;
    assert_eq!(first, second);
    assert_eq!(lies(folder.path(), "whole").len(), 1);
    store.forget_upload(ID).await.unwrap();
    assert_eq!(store.upload(ID), None);
    assert_eq!(whole(&store, first, 50_000).await.unwrap(), bytes);
    assert!(!store.remove(first).await.unwrap(), "an upload shows it");
    assert_eq!(whole(&store, first, 50_000).await.unwrap(), bytes);
    store.forget_upload(UploadId([8; 16])).await.unwrap();
    assert!(store.remove(first).await.unwrap());
    assert_eq!(store.size_of(first).await.unwrap(), None);
    assert_eq!(lies(folder.path(), "whole").len(), 0);
    assert_eq!(lies(folder.path(), "trees").len(), 0);
}

#[tokio::test]
async fn one_flipped_bit_on_the_disk_is_noticed_and_not_given_out() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let bytes = file(200_000);
    let blob = put(&store, ID, &bytes).await;
    let path = folder.path().join(format!("whole/{blob}"));
    let mut stored = std::fs::read(&path).unwrap();
    stored[70_000] ^= 4;
    std::fs::write(&path, &stored).unwrap();
    let damaged = Err(BlobError::Damaged { offset: 65_536 });
    assert_eq!(store.read(blob, 65_536, 16_384).await, damaged);
    assert_eq!(store.prove(blob, 65_536, 16_384).await, damaged);
    let sound = store.read(blob, 0, 65_536).await.unwrap();
    assert_eq!(&sound[..], &bytes[..65_536]);
    std::fs::write(&path, &bytes[..100_000]).unwrap();
    let cut = store.read(blob, 98_304, 16_384).await;
    assert!(matches!(cut, Err(BlobError::Damaged { .. })), "{cut:?}");
}

#[tokio::test]
async fn a_file_is_received_in_verified_ranges_and_served_on_while_it_comes() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (from, to) = (open(here.path()).await, open(there.path()).await);
    let bytes = file(3_500_000);
    let (size, blob) = (3_500_000, put(&from, ID, &bytes).await);
    let mut at = to.begin_receive(blob, size).await.unwrap();
    assert_eq!(at, 0);
    while at < size {
        assert_eq!(to.size_of(blob).await.unwrap(), None);
        let proof = from.prove(blob, at, MIB).await.unwrap();
        at = to.receive(blob, MIB, proof).await.unwrap();
        let read = to.read(blob, 0, 16_384).await.unwrap();
        assert_eq!(&read[..], &bytes[..16_384]);
    }
    assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
    assert_eq!(lies(there.path(), "incoming").len(), 0);
    assert_eq!(to.begin_receive(blob, size).await.unwrap(), size);
    // What was received proves itself as the first one did.
    let again = to.prove(blob, MIB, MIB).await.unwrap();
    assert_eq!(again, from.prove(blob, MIB, MIB).await.unwrap());
}

#[tokio::test]
async fn a_liar_is_caught_at_its_first_bad_group_and_the_rest_comes_from_another() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (from, to) = (open(here.path()).await, open(there.path()).await);
    let bytes = file(2_000_000);
    let (size, blob) = (2_000_000, put(&from, ID, &bytes).await);
    to.begin_receive(blob, size).await.unwrap();
    let proof = from.prove(blob, 0, MIB).await.unwrap();
    let mut lie = proof.to_vec();
    let at = lie.len() / 2;
    lie[at] ^= 1;
    let caught = to.receive(blob, MIB, Bytes::from(lie)).await;
    assert_eq!(caught, Err(BlobError::Lied { offset: 0 }));
    let kept = to.begin_receive(blob, size).await.unwrap();
    assert!((16_384..MIB / 2 + 16_384).contains(&kept), "{kept}");
    assert!(kept.is_multiple_of(16_384));
    let read = to.read(blob, 0, kept).await.unwrap();
    assert_eq!(&read[..], &bytes[..usize::try_from(kept).unwrap()]);
    let proof = from.prove(blob, kept, MIB).await.unwrap();
    let at = to.receive(blob, MIB, proof).await.unwrap();
    let proof = from.prove(blob, at, MIB).await.unwrap();
    assert_eq!(to.receive(blob, MIB, proof).await.unwrap(), size);
    assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
}

#[tokio::test]
async fn receiving_goes_on_after_a_restart() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let from = open(here.path()).await;
    let bytes = file(20_000_000);
    let (size, blob) = (20_000_000, put(&from, ID, &bytes).await);
    let to = open(there.path()).await;
    let mut at = to.begin_receive(blob, size).await.unwrap();
    while at < 12 * MIB {
        let proof = from.prove(blob, at, MIB).await.unwrap();
        at = to.receive(blob, MIB, proof).await.unwrap();
    }
    // Much came, so that some of it is made durable by itself.
    let noted = there.path().join(format!("incoming/{blob}.at"));
    while std::fs::metadata(&noted).unwrap().len() == 0 {
        tokio::task::yield_now().await;
    }
    drop(to);
    let to = open(there.path()).await;
    let mut at = to.begin_receive(blob, size).await.unwrap();
    assert!((8 * MIB..=12 * MIB).contains(&at), "{at}");
    while at < size {
        let proof = from.prove(blob, at, MIB).await.unwrap();
        at = to.receive(blob, MIB, proof).await.unwrap();
    }
    assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
}

#[tokio::test]
async fn room_is_refused_before_the_first_byte_and_comes_back() {
    let folder = TempDir::new().unwrap();
    let settings = space(Some(1_000));
    let store = Blobs::open(folder.path(), &ShelfSettings::Folder, settings)
        .await
        .unwrap();
    let at = Timestamp::default();
    let too_much = store.begin_upload(ID, ME, 1_001, at).await;
    assert_eq!(too_much, Err(BlobError::NoSpace { bytes: 1_001 }));
    let blob = put(&store, ID, &file(600)).await;
    let other = UploadId([8; 16]);
    let full = store.begin_upload(other, ME, 401, at).await;
    assert_eq!(full, Err(BlobError::NoSpace { bytes: 401 }));
    assert!(store.begin_receive(BlobHash([9; 32]), 401).await.is_err());
    store.begin_upload(other, ME, 400, at).await.unwrap();
    store.forget_upload(other).await.unwrap();
    store.forget_upload(ID).await.unwrap();
    assert!(store.remove(blob).await.unwrap());
    store.begin_upload(other, ME, 1_000, at).await.unwrap();
    // More than was announced is not taken.
    let long = store.append(other, 0, Bytes::from(vec![0; 1_001])).await;
    assert_eq!(long, Err(BlobError::TooLarge { bytes_max: 1_000 }));
}

#[tokio::test]
async fn one_token_has_only_so_many_uploads_under_way() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let at = Timestamp::default();
    for number in 0..64 {
        let id = UploadId([number; 16]);
        store.begin_upload(id, ME, 10, at).await.unwrap();
    }
    let more = store.begin_upload(UploadId([99; 16]), ME, 10, at).await;
    assert_eq!(more, Err(BlobError::TooMany { most: 64 }));
    let other = store.begin_upload(UploadId([99; 16]), Hash([2; 32]), 10, at);
    assert!(other.await.is_ok());
}

#[tokio::test]
async fn whole_uploads_do_not_keep_their_owner_from_the_next() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    for number in 0..65 {
        put(&store, UploadId([number; 16]), &[number]).await;
    }
    let at = Timestamp::default();
    let begun = store.begin_upload(UploadId([99; 16]), ME, 10, at).await;
    assert!(begun.is_ok(), "{begun:?}");
}
