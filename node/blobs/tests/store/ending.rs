//! Receiving that ends before its file is whole: what came stays, and nothing else of it does; and what
//! becomes whole while it is read.

use super::*;

#[tokio::test]
async fn what_is_received_no_more_gives_back_its_room_and_its_place() {
    let folder = TempDir::new().unwrap();
    let settings = space(Some(64 * MIB));
    let store = Blobs::open(folder.path(), &ShelfSettings::Folder, settings)
        .await
        .unwrap();
    for number in 0..=256_u16 {
        let mut blob = BlobHash([0; 32]);
        blob.0[..2].copy_from_slice(&number.to_be_bytes());
        assert_eq!(store.begin_receive(blob, 64 * MIB).await, Ok(0));
        store.end_receive(blob).await.unwrap();
    }
    assert!(lies(folder.path(), "incoming").is_empty());
    let begun = store.begin_upload(ID, ME, 64 * MIB, Timestamp::default());
    assert!(begun.await.is_ok());
}

#[tokio::test]
async fn more_at_once_than_may_be_received_is_refused_as_busy() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    for number in 0..=255 {
        assert_eq!(store.begin_receive(BlobHash([number; 32]), 1).await, Ok(0));
    }
    let mut one_more = BlobHash([0; 32]);
    one_more.0[31] = 1;
    assert_eq!(store.begin_receive(one_more, 1).await, Err(BlobError::Busy));
    store.end_receive(BlobHash([3; 32])).await.unwrap();
    assert_eq!(store.begin_receive(one_more, 1).await, Ok(0));
}

#[tokio::test]
async fn what_came_before_the_end_is_not_sent_again() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let from = open(here.path()).await;
    let bytes = file(3_000_000);
    let (size, blob) = (3_000_000, put(&from, ID, &bytes).await);
    let settings = space(Some(size));
    let to = Blobs::open(there.path(), &ShelfSettings::Folder, settings)
        .await
        .unwrap();
    for upto in [MIB, 2 * MIB, size] {
        let at = to.begin_receive(blob, size).await.unwrap();
        assert_eq!(at, (upto - 1) / MIB * MIB);
        let proof = from.prove(blob, at, MIB).await.unwrap();
        assert_eq!(to.receive(blob, MIB, proof).await, Ok(upto));
        to.end_receive(blob).await.unwrap();
    }
    assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
    assert!(to.remove(blob).await.unwrap());
    let begun = to.begin_upload(ID, ME, size, Timestamp::default());
    assert!(begun.await.is_ok());
}

#[tokio::test]
async fn a_false_size_keeps_nobody_from_receiving_the_file() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (from, to) = (open(here.path()).await, open(there.path()).await);
    let bytes = file(500_000);
    let (size, blob) = (500_000, put(&from, ID, &bytes).await);
    for false_size in [1, size - 1, size + 1, 64 * MIB] {
        let at = to.begin_receive(blob, false_size).await.unwrap();
        let proof = from.prove(blob, at, MIB).await.unwrap();
        let lied = to.receive(blob, MIB, proof).await;
        assert!(matches!(lied, Err(BlobError::Lied { .. })), "{lied:?}");
    }
    let mut at = to.begin_receive(blob, size).await.unwrap();
    while at < size {
        let proof = from.prove(blob, at, MIB).await.unwrap();
        at = to.receive(blob, MIB, proof).await.unwrap();
    }
    assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_not_broken_off_when_the_file_becomes_whole() {
    let here = TempDir::new().unwrap();
    let from = open(here.path()).await;
    let bytes = file(40_000);
    let (size, blob) = (40_000, put(&from, ID, &bytes).await);
    for _ in 0..50 {
        let there = TempDir::new().unwrap();
        let to = open(there.path()).await;
        to.begin_receive(blob, size).await.unwrap();
        let first = from.prove(blob, 0, 32_768).await.unwrap();
        to.receive(blob, 32_768, first).await.unwrap();
        let last = from.prove(blob, 32_768, 16_384).await.unwrap();
        let ends = to.receive(blob, 16_384, last);
        let reads = async {
            loop {
                let read = to.read(blob, 0, 16_384).await;
                assert_eq!(&read.unwrap()[..], &bytes[..16_384]);
                if to.size_of(blob).await.unwrap().is_some() {
                    return;
                }
            }
        };
        let (ended, ()) = tokio::join!(ends, reads);
        assert_eq!(ended, Ok(size));
    }
}

#[tokio::test]
async fn a_whole_file_that_did_not_reach_the_shelf_reaches_it_when_asked_again() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (from, to) = (open(here.path()).await, open(there.path()).await);
    let bytes = file(40_000);
    let (size, blob) = (40_000, put(&from, ID, &bytes).await);
    to.begin_receive(blob, size).await.unwrap();
    let (trees, away) = (there.path().join("trees"), there.path().join("away"));
    std::fs::rename(&trees, &away).unwrap();
    let proof = from.prove(blob, 0, MIB).await.unwrap();
    let failed = to.receive(blob, MIB, proof).await;
    assert!(matches!(failed, Err(BlobError::Failed(_))), "{failed:?}");
    std::fs::rename(&away, &trees).unwrap();
    assert_eq!(to.size_of(blob).await, Ok(None));
    assert_eq!(to.receive(blob, 0, Bytes::new()).await, Ok(size));
    assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_file_that_is_uploaded_while_it_comes_is_whole_at_once_and_has_its_room_once() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let from = open(here.path()).await;
    let bytes = file(40_000);
    let (size, blob) = (40_000, put(&from, ID, &bytes).await);
    for comes_to_its_end in [false, true] {
        let folder = there.path().join(comes_to_its_end.to_string());
        // Room for the file that comes, the upload beside it and half a file more.
        let settings = space(Some(2 * size + size / 2));
        let to = Blobs::open(&folder, &ShelfSettings::Folder, settings);
        let to = to.await.unwrap();
        to.begin_receive(blob, size).await.unwrap();
        let first = from.prove(blob, 0, 32_768).await.unwrap();
        to.receive(blob, 32_768, first).await.unwrap();
        put(&to, ID, &bytes).await;
        assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
        if comes_to_its_end {
            let last = from.prove(blob, 32_768, 16_384).await.unwrap();
            assert_eq!(to.receive(blob, 16_384, last).await, Ok(size));
        }
        assert_eq!(to.begin_receive(blob, size).await, Ok(size));
        assert_eq!(whole(&to, blob, size).await.unwrap(), bytes);
        assert!(lies(&folder, "incoming").is_empty());
        let begun = to.begin_upload(UploadId([8; 16]), ME, size + size / 2, Timestamp::default());
        assert!(begun.await.is_ok());
    }
}

#[tokio::test]
async fn nothing_of_a_coming_file_is_no_damage() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let blob = BlobHash([9; 32]);
    store.begin_receive(blob, 40_000).await.unwrap();
    assert_eq!(store.prove(blob, 0, 0).await, Ok(Bytes::new()));
    assert_eq!(store.read(blob, 0, 0).await, Ok(Bytes::new()));
}
