//! The files of pages stay in proportion to what is in them, however often it is written again.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use tongban_runtime::seams::{StateStore, Write, WriteSet};
use tongban_store::{Opened, SledStore};

use crate::support::{Ending, all, bounds, flush, fuzhou, left_by_a_kill, open, open_as};

/// Neighbours that are written together, on pages of their own.
const NEIGHBOURS: u32 = 12;
const KEYS: u32 = 50 * NEIGHBOURS;
const VALUE_BYTES: usize = 2 * 1024;
/// Each writes ten times as much again as all files in which nothing is live take.
const ROUNDS: u32 = 40;

/// Every so many rounds neighbours are written again: most at once and some seldom, so that each file of pages has
/// some of the latter, and none dies by itself for long.
fn period(number: u32) -> u32 {
    [1, 1, 1, 3, 30][(number / NEIGHBOURS % 5) as usize]
}

fn is_written(number: u32, round: u32) -> bool {
    round == 0 || (number / NEIGHBOURS + round).is_multiple_of(period(number))
}

fn value(number: u32, round: u32) -> Vec<u8> {
    (number ^ round << 16).to_le_bytes().repeat(VALUE_BYTES / 4)
}

fn writes(round: u32) -> WriteSet {
    let pair = |number: u32| {
        (
            number.to_be_bytes().to_vec(),
            Write::Put(value(number, round)),
        )
    };
    let numbers = (0..KEYS).filter(|number| is_written(*number, round));
    numbers.map(pair).collect()
}

/// The round in which a key was written last, as of one.
fn last_written(number: u32, round: u32) -> u32 {
    let is_written = |before: &u32| is_written(number, *before);
    (0..=round).rev().find(is_written).unwrap_or_default()
}

fn commit(store: &SledStore, round: u32) {
    let committed = store.commit(fuzhou(), &writes(round), &round.to_be_bytes());
    committed.expect("the store is well");
    flush(store).expect("the store is well");
}

/// How many files of pages there are, and their bytes.
fn files(path: &Path) -> (usize, u64) {
    let entries = fs::read_dir(path.join("pages")).expect("the folder is there");
    let bytes = entries.map(|entry| {
        let metadata = entry.and_then(|entry| entry.metadata());
        metadata.expect("it is there").len()
    });
    let bytes: Vec<u64> = bytes.collect();
    (bytes.len(), bytes.iter().sum())
}

/// Returns when no more room is made: a flush is taken up only when a step that the one before led to is done, and
/// removes what died by that.
fn settle(store: &SledStore, path: &Path) {
    let mut before = None;
    while before != Some(files(path)) {
        before = Some(files(path));
        for _ in 0..2 {
            let position = store.position(fuzhou()).expect("the store is well");
            let position = position.expect("it was committed to");
            let committed = store.commit(fuzhou(), &WriteSet::new(), &position);
            committed.expect("the store is well");
            flush(store).expect("the store is well");
        }
    }
}

fn holds_round(store: &SledStore, round: u32) -> bool {
    let pairs = all(store, fuzhou()).expect("the store is well");
    let expected = (0..KEYS).map(|number| {
        let value = value(number, last_written(number, round));
        (number.to_be_bytes().to_vec(), value)
    });
    pairs.into_iter().eq(expected)
}

#[test]
fn what_is_written_again_and_again_takes_twice_its_room_and_some_files_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let live = u64::from(KEYS) * VALUE_BYTES as u64;
    // What a round writes is appended to a file that is not full yet, and what is moved before the rest of it goes.
    let bytes_max = 2 * live + live / 8 + 4 * bounds().page_file_bytes_max;
    for round in 0..ROUNDS {
        commit(&store, round);
        settle(&store, folder.path());
        let (count, bytes) = files(folder.path());
        assert!(
            bytes <= bytes_max,
            "round {round}: {count} files, {bytes} bytes of {bytes_max}"
        );
        assert!(holds_round(&store, round), "round {round}");
    }
    store.clear(fuzhou()).unwrap();
    flush(&store).unwrap();
    drop(store);
    assert_eq!(open_as(folder.path()).1, Opened::Existing);
    assert_eq!(files(folder.path()).0, 1, "nothing is left but the last");
}

#[test]
fn a_kill_at_any_moment_leaves_what_was_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for round in 0..ROUNDS {
        commit(&store, round);
        settle(&store, folder.path());
        let left = left_by_a_kill(folder.path());
        let (again, opened) = open_as(left.path());
        assert_eq!(opened, Opened::Existing);
        assert!(holds_round(&again, round), "round {round}");
        let position = again.position(fuzhou()).unwrap();
        assert_eq!(position, Some(round.to_be_bytes().to_vec()));
    }
}

#[test]
fn readers_find_every_value_while_files_are_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, 0);
    let (committed, over) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let _ending = Ending(&over);
        for shift in [0, KEYS / 2] {
            let (store, committed, over) = (&store, &committed, &over);
            scope.spawn(move || {
                for number in (0..KEYS).cycle().skip(shift as usize) {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let before = committed.load(Ordering::SeqCst);
                    let found = store.get(fuzhou(), &number.to_be_bytes());
                    let found = found.expect("the store is well").expect("it is there");
                    let after = committed.load(Ordering::SeqCst) + 1;
                    let may_be = (before..=after).map(|round| last_written(number, round));
                    let is_one = |round| found == value(number, round);
                    assert!(may_be.into_iter().any(is_one), "{number} after {before}");
                }
            });
        }
        for round in 1..2 * ROUNDS {
            commit(&store, round);
            committed.store(round, Ordering::SeqCst);
        }
    });
    assert!(holds_round(&store, 2 * ROUNDS - 1));
}
