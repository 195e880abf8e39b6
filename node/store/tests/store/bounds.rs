//! What is too large is refused whole, and what is just small enough stays in the synced file.

use std::error::Error;
use std::fs;

use crate::support::{all, flush, fuzhou, open, put, weinan};
use tongban_runtime::seams::{StateStore, StoreError, Write, WriteSet};
use tongban_store::SledStoreError;
use tongban_store::limits::{COMMIT_BYTES_MAX, KEY_BYTES_MAX, POSITION_BYTES_MAX, VALUE_BYTES_MAX};
use tongban_types::Code;

fn what_is_too_large(result: Result<(), StoreError>) -> String {
    let error = result.expect_err("it is too large");
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<SledStoreError>());
    let Some(SledStoreError::TooLarge {
        what,
        bytes,
        bytes_max,
    }) = cause
    else {
        panic!("refused otherwise: {error:?}");
    };
    assert!(bytes > bytes_max);
    assert_eq!(cause.map(SledStoreError::code), Some(Code::STORE_TOO_LARGE));
    what.to_string()
}

#[test]
fn what_is_too_large_is_refused_whole_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.commit(fuzhou(), &put(b"kept", b"1"), b"1").unwrap();

    let mut writes = put(b"beside", b"2");
    writes.insert(b"large".to_vec(), Write::Put(vec![0; VALUE_BYTES_MAX + 1]));
    assert_eq!(
        what_is_too_large(store.commit(fuzhou(), &writes, b"2")),
        "value"
    );
    let writes = put(&[1; KEY_BYTES_MAX + 1], b"");
    assert_eq!(
        what_is_too_large(store.commit(fuzhou(), &writes, b"2")),
        "key"
    );
    let position = [0; POSITION_BYTES_MAX + 1];
    assert_eq!(
        what_is_too_large(store.commit(fuzhou(), &WriteSet::new(), &position)),
        "position"
    );
    let writes: WriteSet = (0..=COMMIT_BYTES_MAX / VALUE_BYTES_MAX)
        .map(|number| {
            (
                number.to_be_bytes().to_vec(),
                Write::Put(vec![0; VALUE_BYTES_MAX]),
            )
        })
        .collect();
    assert_eq!(
        what_is_too_large(store.commit(fuzhou(), &writes, b"2")),
        "commit"
    );

    assert_eq!(
        all(&store, fuzhou()).unwrap(),
        [(b"kept".to_vec(), b"1".to_vec())]
    );
    assert_eq!(store.position(fuzhou()).unwrap().unwrap(), b"1");
    store.commit(fuzhou(), &put(b"next", b"2"), b"2").unwrap();
    flush(&store).unwrap();
}

/// Values of the largest size, written, overwritten and deleted until leaves split and merge.
#[test]
fn the_largest_pairs_never_leave_the_synced_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let key = |number: usize| {
        let mut key = vec![7; KEY_BYTES_MAX];
        key[KEY_BYTES_MAX - 2..].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
        key
    };
    for round in 0..4_u8 {
        for first in (0..120).step_by(12) {
            let writes: WriteSet = (first..first + 12)
                .map(|number| match (number + usize::from(round)) % 5 {
                    0..=2 => (key(number), Write::Put(vec![round; VALUE_BYTES_MAX])),
                    _ if round > 1 => (key(number), Write::Delete),
                    _ => (key(number), Write::Put(vec![round; VALUE_BYTES_MAX / 2])),
                })
                .collect();
            store.commit(fuzhou(), &writes, &[round]).unwrap();
        }
        flush(&store).unwrap();
        assert_eq!(
            fs::read_dir(folder.path().join("blobs")).unwrap().count(),
            0
        );
    }
    store.clear(fuzhou()).unwrap();
    flush(&store).unwrap();
    assert_eq!(all(&store, fuzhou()).unwrap(), []);
    assert_eq!(
        fs::read_dir(folder.path().join("blobs")).unwrap().count(),
        0
    );
}

#[test]
fn a_commit_many_times_the_cache_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let writes: WriteSet = (0..2_048_u32)
        .map(|number| (number.to_be_bytes().to_vec(), Write::Put(vec![3; 8 * 1024])))
        .collect();
    store.commit(weinan(), &writes, b"1").unwrap();
    flush(&store).unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(all(&store, weinan()).unwrap().len(), writes.len());
    assert_eq!(store.position(weinan()).unwrap().unwrap(), b"1");
}
