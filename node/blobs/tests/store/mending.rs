//! What a start does about damage: it makes again what can be made, sets aside what cannot, and opens.

use super::*;

type Damage = fn(&mut Vec<u8>);

#[tokio::test]
async fn a_damaged_tree_is_made_again_from_its_file() {
    let bytes = file(100_000);
    let blob = hash(&bytes);
    let damages: [Damage; 3] = [
        |tree| tree.truncate(4),
        |tree| tree.truncate(200),
        |tree| *tree.last_mut().unwrap() ^= 0x80,
    ];
    for damage in damages {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path()).await;
        put(&store, ID, &bytes).await;
        drop(store);
        let path = folder.path().join(format!("trees/{blob}"));
        let mut tree = std::fs::read(&path).unwrap();
        damage(&mut tree);
        std::fs::write(&path, &tree).unwrap();
        let store = open(folder.path()).await;
        assert_eq!(whole(&store, blob, 100_000).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_comes_anew_and_the_others_read() {
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (from, to) = (open(here.path()).await, open(there.path()).await);
    let (good, bad) = (file(100_000), file(90_000));
    let blob = put(&from, ID, &bad).await;
    assert_eq!(put(&to, ID, &bad).await, blob);
    let other = put(&to, UploadId([8; 16]), &good).await;
    to.forget_upload(ID).await.unwrap();
    drop(to);
    std::fs::write(there.path().join(format!("trees/{blob}")), b"cut").unwrap();
    std::fs::write(there.path().join(format!("whole/{blob}")), b"cut as well").unwrap();
    let to = open(there.path()).await;
    assert_eq!(whole(&to, other, 100_000).await.unwrap(), good);
    assert_eq!(to.size_of(blob).await, Ok(None));
    let kept = there.path().join(format!("whole/{blob}.damaged"));
    assert_eq!(std::fs::read(kept).unwrap(), b"cut as well");
    assert_eq!(to.begin_receive(blob, 90_000).await, Ok(0));
    let proof = from.prove(blob, 0, MIB).await.unwrap();
    assert_eq!(to.receive(blob, MIB, proof).await, Ok(90_000));
    assert_eq!(whole(&to, blob, 90_000).await.unwrap(), bad);
}

#[tokio::test]
async fn an_upload_whose_bytes_are_gone_keeps_no_node_from_starting() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let at = Timestamp::default();
    store.begin_upload(ID, ME, 10, at).await.unwrap();
    let other = UploadId([8; 16]);
    store.begin_upload(other, ME, 10, at).await.unwrap();
    drop(store);
    std::fs::remove_file(folder.path().join(format!("uploads/{ID}.part"))).unwrap();
    let store = open(folder.path()).await;
    assert_eq!(store.upload(ID), None);
    assert!(store.upload(other).is_some());
}

#[tokio::test]
async fn an_upload_that_does_not_read_waits_for_the_next_start() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let bytes = file(1_000);
    let begun = store.begin_upload(ID, ME, 1_000, Timestamp::default());
    begun.await.unwrap();
    append(&store, ID, 0, &bytes[..600]).await;
    store.commit(ID).await.unwrap();
    drop(store);
    let part = folder.path().join(format!("uploads/{ID}.part"));
    let away = folder.path().join("away");
    std::fs::rename(&part, &away).unwrap();
    // A folder does not read as a file: what a bad disk says to the owner of all files, too.
    std::fs::create_dir(&part).unwrap();
    let store = open(folder.path()).await;
    assert_eq!(store.upload(ID), None);
    drop(store);
    std::fs::remove_dir(&part).unwrap();
    std::fs::rename(&away, &part).unwrap();
    let store = open(folder.path()).await;
    assert_eq!(store.upload(ID).unwrap().offset, 600);
    append(&store, ID, 600, &bytes[600..]).await;
    assert_eq!(store.commit(ID).await.unwrap().blob, Some(hash(&bytes)));
}
