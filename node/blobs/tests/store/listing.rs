//! Files as a sweep goes through them.

use super::*;

#[tokio::test]
async fn files_are_listed_in_order_of_their_hashes_each_once_and_page_by_page() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let mut expected = Vec::new();
    for number in 0..5_u8 {
        let bytes = file(usize::from(number) + 1);
        expected.push(put(&store, UploadId([number; 16]), &bytes).await);
        let coming = BlobHash([number * 50; 32]);
        store.begin_receive(coming, 40_000).await.unwrap();
        expected.push(coming);
    }
    expected.sort_unstable();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(after, 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(*last);
        listed.extend(page);
    }
    assert_eq!(listed, expected);
}
