//! What readers see beside commits, and beside layers that sink into the engine: each commit whole, and
//! each pair once.
//!
//! What a layer changes it hides from readers until it has sunk, so that a reader who gets between the
//! pages of a batch is found out only by pairs the layer does not hold: those that move because their
//! page is cut for others. Keys are in rounds, each on pages of its own age: first pairs that stay as
//! they are, flushed, then others between them, large enough for every page to be cut.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;

use tongban_runtime::seams::{StateStore, Write, WriteSet};
use tongban_store::SledStore;

use crate::support::{Ending, all, flush, fuzhou, open, put, weinan};

/// Each cuts its pages once or twice: many, for a reader must meet one of these moments.
const ROUNDS: u16 = 100;
/// Rounds behind the newest until one is removed, pages and all.
const ROUNDS_KEPT: u16 = 4;
/// Pairs of a round that stay, and as many that come between them.
const PAIRS: u8 = 24;
/// A page takes seven of these pairs, and a layer sinks after some twenty commits even unflushed.
const VALUE_BYTES: usize = 2 * 1024;

fn key(round: u16, place: u8) -> Vec<u8> {
    [&round.to_be_bytes()[..], &[place]].concat()
}

fn value(number: u16) -> Vec<u8> {
    number.to_be_bytes().repeat(VALUE_BYTES / 2)
}

fn writes(round: u16, places: impl Iterator<Item = u8>, write: &Write) -> WriteSet {
    places
        .map(|place| (key(round, place), write.clone()))
        .collect()
}

fn staying() -> impl Iterator<Item = u8> + Clone {
    (0..PAIRS).map(|pair| 2 * pair)
}

fn between() -> impl Iterator<Item = u8> + Clone {
    staying().map(|place| place + 1)
}

struct Rounds {
    store: SledStore,
    /// Rounds whose staying pairs are flushed.
    begun: AtomicU16,
    over: AtomicBool,
}

impl Rounds {
    fn write(&self) {
        let commit = |writes: WriteSet| {
            let committed = self.store.commit(fuzhou(), &writes, b"position");
            committed.expect("the store is well");
        };
        for round in 0..ROUNDS {
            commit(writes(round, staying(), &Write::Put(value(round))));
            self.flush();
            self.begun.store(round + 1, Ordering::SeqCst);
            commit(writes(round, between(), &Write::Put(value(0))));
            self.flush();
            for number in 1..4 {
                commit(writes(round, between(), &Write::Put(value(number))));
            }
            commit(writes(round, between(), &Write::Delete));
            if let Some(old) = round.checked_sub(ROUNDS_KEPT) {
                commit(writes(old, 0..2 * PAIRS, &Write::Delete));
            }
        }
    }

    fn flush(&self) {
        flush(&self.store).expect("the store is well");
    }

    /// Reads of the newest round, from one place of a staying pair after the other, until all is written.
    /// What a round has lost while it was read is not looked at.
    fn read<T>(&self, read: impl Fn(u16, u8) -> T, check: impl Fn(u16, u8, T)) {
        for place in staying().cycle() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let Some(round) = self.begun.load(Ordering::SeqCst).checked_sub(1) else {
                continue;
            };
            let found = read(round, place);
            if self.begun.load(Ordering::SeqCst) <= round + ROUNDS_KEPT {
                check(round, place, found);
            }
        }
    }

    fn scan(&self) {
        let scan = |round, place| {
            let (from, until) = (key(round, place), key(round + 1, 0));
            let pairs = self.store.scan(fuzhou(), &from, &until, usize::MAX);
            pairs.expect("the store is well")
        };
        self.read(scan, |round, first, pairs| {
            let (stay, come): (Vec<_>, Vec<_>) = pairs
                .iter()
                .map(|(key, value)| (key[2], value))
                .partition(|(place, _)| place % 2 == 0);
            let places: Vec<u8> = stay.iter().map(|(place, _)| *place).collect();
            let expected: Vec<u8> = staying().filter(|place| *place >= first).collect();
            assert_eq!(places, expected, "each once, round {round}");
            assert!(stay.iter().all(|(_, found)| **found == value(round)));
            let places: Vec<u8> = come.iter().map(|(place, _)| *place).collect();
            let expected: Vec<u8> = between().filter(|place| *place >= first).collect();
            assert!(
                places.is_empty() || places == expected,
                "half a commit: {places:?}"
            );
            assert!(come.iter().all(|(_, found)| *found == come[0].1));
        });
    }

    fn get(&self) {
        let get = |round, place| {
            let found = self.store.get(fuzhou(), &key(round, place));
            found.expect("the store is well")
        };
        self.read(get, |round, place, found| {
            assert!(found == Some(value(round)), "{place} of round {round}");
        });
    }
}

#[test]
fn readers_beside_layers_that_sink_see_each_commit_whole_and_each_pair_once() {
    let folder = tempfile::tempdir().expect("there is room");
    let rounds = Rounds {
        store: open(&folder.path().join("state")),
        begun: AtomicU16::new(0),
        over: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let _ending = Ending(&rounds.over);
        scope.spawn(|| rounds.scan());
        scope.spawn(|| rounds.get());
        // Layers sink beside commits too, not only while the writer waits for it.
        scope.spawn(|| {
            while !rounds.over.load(Ordering::SeqCst) {
                rounds.flush();
                thread::yield_now();
            }
        });
        rounds.write();
    });
}

#[test]
fn commits_of_another_group_sink_while_a_group_is_cleared() {
    // Two of these are more than a page takes, and the pages are more than are forgotten at once.
    let (pairs, value_bytes) = (2_400_u16, 9 * 1024);
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder.path().join("state"));
    let commit = |group, number: u16| {
        let number = number.to_be_bytes();
        let writes = put(&number, &number.repeat(value_bytes / 2));
        store.commit(group, &writes, &number)
    };
    for number in 0..pairs {
        commit(fuzhou(), number).expect("the store is well");
    }
    flush(&store).expect("the store is well");
    let clearing = AtomicBool::new(true);
    let beside = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut number = 0;
            while clearing.load(Ordering::SeqCst) && number < pairs {
                commit(weinan(), number).expect("the store is well");
                number += 1;
            }
            number
        });
        let cleared = store.clear(fuzhou());
        clearing.store(false, Ordering::SeqCst);
        cleared.expect("the store is well");
        other.join().expect("it does not panic")
    });
    let found = |group| all(&store, group).expect("the store is well").len();
    assert_eq!(found(fuzhou()), 0);
    assert_eq!(found(weinan()), usize::from(beside));
    drop(store);
    let store = open(&folder.path().join("state"));
    let position = |group| store.position(group).expect("the store is well");
    assert_eq!(position(fuzhou()), None);
    let last = beside
        .checked_sub(1)
        .map(|last| last.to_be_bytes().to_vec());
    assert_eq!(position(weinan()), last);
}
