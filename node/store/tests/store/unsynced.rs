//! What a store does about bytes on their way to the disk, of which a power cut may leave pages of two commits.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tongban_runtime::seams::{StateStore, Write, WriteSet};
use tongban_store::{Opened, SledStore};

use crate::support::{all, flush, fuzhou, open, open_as, put};

/// Each takes a page of its own, and together they are 17 MiB.
const PAIRS: u32 = 2_100;
const VALUE_BYTES: usize = 8 * 1024 + 400;

/// Far longer than the store needs to see that nothing comes any more.
const PATIENCE: Duration = Duration::from_mins(1);

fn is_marked(folder: &Path) -> bool {
    folder.join("unsynced").exists()
}

/// Commits so much at once that it sinks before this returns, and is far more than a power cut leaves whole.
fn commit_much(store: &SledStore) {
    let pair = |number: u32| {
        let value = number.to_le_bytes().repeat(VALUE_BYTES / 4);
        (number.to_be_bytes().to_vec(), Write::Put(value))
    };
    let writes: WriteSet = (0..PAIRS).map(pair).collect();
    let committed = store.commit(fuzhou(), &writes, b"1");
    committed.expect("the store is well");
}

fn wait_until(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it never came to it");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A folder with as much, marked under this start of the machine.
fn killed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(folder.path());
    commit_much(&store);
    drop(store);
    let boot = fs::read("/proc/sys/kernel/random/boot_id").expect("Linux tells it");
    fs::write(folder.path().join("unsynced"), boot).expect("there is room");
    folder
}

#[test]
fn what_is_little_is_not_marked_and_what_is_much_no_longer_once_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.commit(fuzhou(), &put(b"a", b"1"), b"0").unwrap();
    flush(&store).unwrap();
    assert!(!is_marked(folder.path()));
    commit_much(&store);
    assert!(is_marked(folder.path()));
    flush(&store).unwrap();
    wait_until(|| !is_marked(folder.path()));
}

#[test]
fn what_comes_in_pieces_is_made_durable_in_between_and_not_marked() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..4 * PAIRS {
        let value = number.to_le_bytes().repeat(VALUE_BYTES / 4);
        let writes = put(&number.to_be_bytes(), &value);
        store.commit(fuzhou(), &writes, b"1").unwrap();
        assert!(!is_marked(folder.path()), "at {number}");
    }
    store.clear(fuzhou()).unwrap();
    assert!(!is_marked(folder.path()));
    assert_eq!(all(&store, fuzhou()).unwrap(), []);
}

#[test]
fn a_store_that_has_nothing_to_do_makes_durable_what_could_be_torn() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // Whoever commits writes it here, and nobody does anything after that.
    commit_much(&store);
    assert!(is_marked(folder.path()));
    wait_until(|| !is_marked(folder.path()));
    assert_eq!(all(&store, fuzhou()).unwrap().len(), PAIRS as usize);
}

#[test]
fn a_store_that_is_closed_leaves_no_mark() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    commit_much(&store);
    drop(store);
    assert!(!is_marked(folder.path()));
    assert_eq!(open_as(folder.path()).1, Opened::Existing);
}

#[test]
fn a_process_that_ended_left_what_it_wrote_and_a_machine_that_did_may_not_have() {
    let killed = killed();
    let (store, opened) = open_as(killed.path());
    assert_eq!(opened, Opened::Existing);
    assert_eq!(all(&store, fuzhou()).unwrap().len(), PAIRS as usize);
    assert!(!is_marked(killed.path()), "made durable as it opened");

    let cut = self::killed();
    fs::write(cut.path().join("unsynced"), "another start").unwrap();
    let (store, opened) = open_as(cut.path());
    assert!(matches!(opened, Opened::Refilled { .. }), "{opened:?}");
    assert_eq!(all(&store, fuzhou()).unwrap(), []);
    assert!(!is_marked(cut.path()));
    drop(store);
    assert_eq!(open_as(cut.path()).1, Opened::Existing);
}
