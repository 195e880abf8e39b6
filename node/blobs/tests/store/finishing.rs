//! From the last byte to the shelf: it goes on without whoever asked for it, can be done again where it
//! failed, and is not disturbed by the same file being let go.

use futures_util::future::poll_immediate;

use super::*;

/// Whether a condition comes to be within half a minute.
async fn comes_to_be(mut is: impl FnMut() -> bool) -> bool {
    let began = std::time::Instant::now();
    while !is() {
        if began.elapsed().as_secs() > 30 {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_finished_also_when_nobody_waits_for_it() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let bytes = file(3_000_000);
    let begun = store.begin_upload(ID, ME, 3_000_000, Timestamp::default());
    begun.await.unwrap();
    append(&store, ID, 0, &bytes).await;
    assert!(poll_immediate(store.commit(ID)).await.is_none());
    let is_whole = || store.upload(ID).unwrap().blob == Some(hash(&bytes));
    assert!(comes_to_be(is_whole).await);
    assert_eq!(whole(&store, hash(&bytes), 3_000_000).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_of_an_upload_is_not_lost_with_its_client() {
    let folder = TempDir::new().unwrap();
    let settings = space(Some(1_000));
    let store = Blobs::open(folder.path(), &ShelfSettings::Folder, settings)
        .await
        .unwrap();
    let at = Timestamp::default();
    assert!(
        poll_immediate(store.begin_upload(ID, ME, 1_000, at))
            .await
            .is_none()
    );
    assert!(comes_to_be(|| store.upload(ID).is_some()).await);
    assert!(
        poll_immediate(store.append(ID, 0, Bytes::from(vec![1; 600])))
            .await
            .is_none()
    );
    store.forget_upload(ID).await.unwrap();
    let again = store.begin_upload(ID, ME, 1_000, at).await;
    assert!(again.is_ok(), "{again:?}");
}

#[tokio::test]
async fn what_failed_on_its_way_to_the_shelf_goes_on_from_there() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let bytes = file(100_000);
    let begun = store.begin_upload(ID, ME, 100_000, Timestamp::default());
    begun.await.unwrap();
    append(&store, ID, 0, &bytes).await;
    let (trees, away) = (folder.path().join("trees"), folder.path().join("away"));
    std::fs::rename(&trees, &away).unwrap();
    let failed = store.commit(ID).await;
    assert!(matches!(failed, Err(BlobError::Failed(_))), "{failed:?}");
    assert_eq!(store.upload(ID).unwrap().blob, None);
    std::fs::rename(&away, &trees).unwrap();
    assert_eq!(store.commit(ID).await.unwrap().blob, Some(hash(&bytes)));
    assert_eq!(whole(&store, hash(&bytes), 100_000).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_an_upload_became_is_there_though_it_was_let_go_meanwhile() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let bytes = file(40_000);
    let blob = put(&store, ID, &bytes).await;
    store.forget_upload(ID).await.unwrap();
    for _ in 0..200 {
        let begun = store.begin_upload(ID, ME, 40_000, Timestamp::default());
        begun.await.unwrap();
        append(&store, ID, 0, &bytes).await;
        let (committed, removed) = tokio::join!(store.commit(ID), store.remove(blob));
        assert_eq!(committed.unwrap().blob, Some(blob));
        removed.unwrap();
        assert_eq!(whole(&store, blob, 40_000).await.unwrap(), bytes);
        store.forget_upload(ID).await.unwrap();
    }
}
