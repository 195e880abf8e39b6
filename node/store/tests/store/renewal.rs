//! The engine is opened anew when its log has grown, so that a start never reads much of it.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::support::{all, flush, fuzhou, left_by_a_kill, open, open_as, open_bounded, put};
use tongban_runtime::seams::StateStore;
use tongban_store::{Opened, SledStore};

/// The log grows by about this before the engine is opened anew.
const BOUND: u64 = 8 * 1024;
const SEGMENT_BYTES: u64 = 1024 * 1024;
const VALUE_BYTES: usize = 8 * 1024;
/// Commits between two flushes.
const FLUSHED_EVERY: u32 = 16;

fn value(number: u32) -> Vec<u8> {
    number.to_le_bytes().repeat(VALUE_BYTES / 4)
}

fn commit(store: &SledStore, number: u32) {
    let writes = put(&number.to_be_bytes(), &value(number));
    store
        .commit(fuzhou(), &writes, &number.to_be_bytes())
        .expect("the store is well");
    if number % FLUSHED_EVERY == FLUSHED_EVERY - 1 {
        flush(store).expect("the store is well");
    }
}

fn fill(store: &SledStore, numbers: Range<u32>) {
    for number in numbers {
        commit(store, number);
    }
}

/// Returns when the engine is open and stays so: a flush is taken up only when what the one before it
/// led to is done.
fn settle(store: &SledStore) {
    for _ in 0..2 {
        store
            .commit(fuzhou(), &put(b"settled", b""), b"settled")
            .expect("the store is well");
        flush(store).expect("the store is well");
    }
}

/// Where the log stood when the engine was last opened, as its index file is named after.
fn index_of(path: &Path) -> Option<u64> {
    let names = fs::read_dir(path).expect("the folder is there");
    names
        .filter_map(|entry| {
            let name = entry.expect("the folder can be read").file_name();
            u64::from_str_radix(name.to_str()?.strip_prefix("snap.")?, 16).ok()
        })
        .max()
}

fn has_all(store: &SledStore, until: u32) -> bool {
    (0..until).all(|number| {
        let read = store.get(fuzhou(), &number.to_be_bytes());
        read.expect("the store is well") == Some(value(number))
    })
}

#[test]
fn past_its_bound_the_log_is_indexed_while_the_store_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_bounded(folder.path(), BOUND);
    let mut indexed = Vec::new();
    for round in 0..4 {
        fill(&store, round * 256..(round + 1) * 256);
        settle(&store);
        indexed.push(index_of(folder.path()));
        assert!(has_all(&store, (round + 1) * 256));
    }
    assert!(indexed[0].is_some());
    assert!(
        indexed.is_sorted_by(|before, after| before < after),
        "{indexed:?}"
    );
}

#[test]
fn below_its_bound_the_log_is_not_indexed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 0..256);
    settle(&store);
    assert_eq!(index_of(folder.path()), None);
}

#[test]
fn a_start_after_a_kill_reads_no_more_of_the_log_than_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_bounded(folder.path(), BOUND);
    let numbers = 1_024_u32;
    fill(&store, 0..numbers);
    settle(&store);
    let left = left_by_a_kill(folder.path());
    let before = index_of(left.path()).unwrap();
    let (again, opened) = open_as(left.path());
    assert_eq!(opened, Opened::Existing);
    assert!(has_all(&again, numbers));
    let after = index_of(left.path()).unwrap();
    // Not of the last commits alone; all of it is less than a segment, of which a rest may be left empty.
    assert!(before > 8 * BOUND && after < SEGMENT_BYTES, "{before}");
    // What one flush adds.
    let beside = 2 * BOUND;
    assert!(after - before <= BOUND + beside, "{before} to {after}");
}

#[test]
fn what_was_flushed_is_there_after_a_kill_between_two_openings() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_bounded(folder.path(), BOUND);
    for round in 0..8 {
        fill(&store, round * 80..(round + 1) * 80);
        settle(&store);
        let left = left_by_a_kill(folder.path());
        let (again, opened) = open_as(left.path());
        assert_eq!(opened, Opened::Existing);
        assert!(has_all(&again, (round + 1) * 80), "after round {round}");
        let position = again.position(fuzhou()).unwrap();
        assert_eq!(position.as_deref(), Some(&b"settled"[..]));
    }
}

#[test]
fn readers_see_every_commit_while_the_engine_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_bounded(folder.path(), BOUND);
    let committed = AtomicU32::new(0);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..768 {
                commit(&store, number);
                committed.store(number + 1, Ordering::SeqCst);
            }
        });
        let mut turn = 0_u32;
        while !writer.is_finished() {
            let until = committed.load(Ordering::SeqCst);
            if until == 0 {
                thread::yield_now();
                continue;
            }
            let number = turn.wrapping_mul(7_919) % until;
            let read = store.get(fuzhou(), &number.to_be_bytes()).unwrap();
            assert_eq!(read, Some(value(number)));
            if turn.is_multiple_of(64) {
                let pairs = all(&store, fuzhou()).unwrap();
                let keys = pairs.iter().map(|(key, _)| key.as_slice());
                assert!(keys.eq((0..).map(u32::to_be_bytes).take(pairs.len())));
                assert!(pairs.len() >= usize::try_from(until).unwrap());
            }
            turn = turn.wrapping_add(1);
        }
        writer.join().unwrap();
    });
    assert!(index_of(folder.path()).is_some());
}

#[test]
fn an_engine_that_does_not_open_anew_stops_the_store_and_is_refilled() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_bounded(folder.path(), BOUND);
    fs::write(folder.path().join("conf"), [0x5a; 64]).unwrap();
    let has_stopped = (0..1_024_u32).any(|number| {
        let writes = put(&number.to_be_bytes(), &value(number));
        let commit = store.commit(fuzhou(), &writes, b"1");
        commit.and_then(|()| flush(&store)).is_err()
    });
    assert!(has_stopped);
    assert!(store.get(fuzhou(), &0_u32.to_be_bytes()).is_err());
    drop(store);
    assert!(matches!(open_as(folder.path()).1, Opened::Refilled { .. }));
}
