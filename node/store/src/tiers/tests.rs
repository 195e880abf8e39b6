//! Pages at hand under the tiers: beside readers and layers that sink, when groups are cleared and when
//! the engine is opened anew.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tongban_types::CityCode;

use super::*;
use crate::bounds::Bounds;
use crate::engine::Engine;
use crate::folder::Folder;
use crate::limits::{CLEARED_PER_BATCH_MAX, LOCK_TRIES_MAX};
use crate::renewal::Ground;

/// Too small for all that is written, so that pages at hand come and go.
const CACHE_BYTES: u64 = 256 * 1024;
const KEYS: u32 = 40;
const PATIENCE: Duration = Duration::from_mins(1);

fn fuzhou() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

fn weinan() -> GroupId {
    GroupId(CityCode::new(610_500).unwrap())
}

/// Tiers whose engine is opened anew whenever anything was written since.
fn open(path: &Path) -> Tiers {
    let folder = Folder::take(path).unwrap();
    folder.ready().unwrap();
    let bounds = Bounds {
        log_bytes_max: 0,
        page_file_bytes_max: 128 * 1024,
        ..Bounds::with_cache(CACHE_BYTES)
    };
    let engine = Engine::open(&folder, bounds, LOCK_TRIES_MAX).unwrap();
    engine.mark().unwrap();
    let failure = Arc::new(Failure::none_yet(folder.path().to_owned()));
    let ground = Ground { folder, bounds };
    let engine = RenewedEngine::new(engine, ground, Arc::clone(&failure));
    Tiers::new(engine, failure)
}

fn renew(tiers: &Tiers) {
    tiers.sync().unwrap();
    tiers.renew_if_due().unwrap();
}

/// How many pages are at hand, none of them another than the engine's.
fn at_hand(tiers: &Tiers) -> usize {
    let looked = tiers.engine.with(EngineWork::Read, |engine| {
        Ok(engine.pages().check_at_hand())
    });
    looked.expect("every page at hand is the engine's")
}

fn key(number: u32) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn key_between(number: u32) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[1]].concat()
}

fn value(round: u32) -> Vec<u8> {
    round.to_be_bytes().repeat(25)
}

fn round_of(value: &[u8]) -> u32 {
    u32::from_be_bytes(value[..4].try_into().unwrap())
}

/// All keys at first and then every third, the next third each round; between them large values that come
/// and go, so that pages are cut and go too.
fn writes(round: u32) -> WriteSet {
    let mut writes = WriteSet::new();
    for number in 0..KEYS {
        let turn = round + number;
        if round == 0 || turn.is_multiple_of(3) {
            writes.insert(key(number), Write::Put(value(round)));
        }
        let between = match turn % 7 {
            0..=3 => Write::Put(vec![0; 3_000]),
            _ => Write::Delete,
        };
        writes.insert(key_between(number), between);
    }
    writes
}

fn is_empty(tiers: &Tiers, group: GroupId) -> bool {
    let pairs = tiers.scan(group, &[], &[0xff; 8], usize::MAX).unwrap();
    let is_gone = |number| tiers.get(group, &key(number)).unwrap().is_none();
    pairs.is_empty() && (0..KEYS).all(is_gone) && tiers.position(group).unwrap().is_none()
}

/// Lets the readers end, also when the writer panics.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn of_an_engine_opened_anew_no_page_is_at_hand_and_the_same_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = open(folder.path());
    for round in 0..8 {
        tiers.commit(fuzhou(), &writes(round), b"position");
        tiers.sink().unwrap();
        let before = tiers.scan(fuzhou(), &[], &[0xff; 8], usize::MAX).unwrap();
        assert!(at_hand(&tiers) > 0);
        renew(&tiers);
        assert_eq!(at_hand(&tiers), 0);
        for (key, value) in &before {
            assert_eq!(tiers.get(fuzhou(), key).unwrap().as_ref(), Some(value));
        }
        assert!(at_hand(&tiers) > 0);
        let after = tiers.scan(fuzhou(), &[], &[0xff; 8], usize::MAX).unwrap();
        assert_eq!(after, before);
    }
}

#[test]
fn of_a_group_that_was_cleared_no_page_is_at_hand_whoever_read_it_meanwhile() {
    // Two of these are more than a page takes, and the pages more than are forgotten at once.
    let numbers = u32::try_from(CLEARED_PER_BATCH_MAX).unwrap() + 200;
    let folder = tempfile::tempdir().unwrap();
    let tiers = open(folder.path());
    let large: WriteSet = (0..numbers)
        .map(|number| (key(number), Write::Put(number.to_be_bytes().repeat(2_300))))
        .collect();
    tiers.commit(fuzhou(), &large, b"position");
    tiers.commit(weinan(), &writes(0), b"position");
    tiers.sink().unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _ending = Ending(&over);
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                for number in (0..numbers).rev() {
                    let found = tiers.get(fuzhou(), &key(number)).unwrap();
                    assert!(found.is_none_or(|found| round_of(&found) == number));
                }
            }
        });
        tiers.clear(fuzhou()).unwrap();
        assert!(is_empty(&tiers, fuzhou()));
        at_hand(&tiers);
    });
    let gone = |number| tiers.get(fuzhou(), &key(number)).unwrap().is_none();
    assert!((0..numbers).all(gone));
    for number in 0..KEYS {
        let found = tiers.get(weinan(), &key(number)).unwrap();
        assert_eq!(found, Some(value(0)));
    }
    at_hand(&tiers);
}

#[test]
fn no_reader_meets_an_old_page_beside_layers_that_sink_clears_and_engines_opened_anew() {
    const ROUNDS: u32 = 120;
    let folder = tempfile::tempdir().unwrap();
    let tiers = open(folder.path());
    let (committed, over) = (AtomicU32::new(0), AtomicBool::new(false));
    // Each key was written in the last round or one of the two before it.
    let oldest = || committed.load(Ordering::SeqCst).saturating_sub(2);
    let read = || {
        for number in 0..KEYS {
            let oldest = oldest();
            let found = tiers.get(fuzhou(), &key(number)).unwrap().unwrap();
            assert!(
                round_of(&found) >= oldest,
                "{number} is older than {oldest}"
            );
            let absent = [&number.to_be_bytes()[..], &[2]].concat();
            assert_eq!(tiers.get(fuzhou(), &absent).unwrap(), None);
            tiers.get(weinan(), &key(number)).unwrap();
        }
        let oldest = oldest();
        let pairs = tiers.scan(fuzhou(), &[], &[0xff; 8], usize::MAX).unwrap();
        let kept = pairs.iter().filter(|(key, _)| key.len() == 4);
        let rounds: Vec<u32> = kept.map(|(_, value)| round_of(value)).collect();
        assert_eq!(rounds.len(), usize::try_from(KEYS).unwrap());
        assert!(rounds.iter().all(|round| *round >= oldest));
    };
    tiers.commit(fuzhou(), &writes(0), b"position");
    thread::scope(|scope| {
        let _ending = Ending(&over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    read();
                }
            });
        }
        for round in 1..ROUNDS {
            tiers.commit(fuzhou(), &writes(round), b"position");
            committed.store(round, Ordering::SeqCst);
            tiers.commit(weinan(), &writes(round), b"position");
            tiers.sink().unwrap();
            at_hand(&tiers);
            if round % 5 == 4 {
                tiers.clear(weinan()).unwrap();
                assert!(is_empty(&tiers, weinan()));
                at_hand(&tiers);
            }
            if round % 7 == 6 {
                renew(&tiers);
                at_hand(&tiers);
            }
            tiers.compact_some().unwrap();
            at_hand(&tiers);
        }
    });
    read();
    assert!(at_hand(&tiers) > 0);
}

#[test]
fn a_read_of_a_page_at_hand_waits_for_no_batch() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = open(folder.path());
    tiers.commit(fuzhou(), &writes(0), b"position");
    tiers.sink().unwrap();
    assert_eq!(tiers.get(fuzhou(), &key(7)).unwrap(), Some(value(0)));
    let (answer, answered) = mpsc::channel();
    thread::scope(|scope| {
        let batch = tiers.turn.write().unwrap();
        scope.spawn(|| answer.send(tiers.get(fuzhou(), &key(7))));
        let found = answered.recv_timeout(PATIENCE);
        drop(batch);
        let found = found.expect("it did not wait").unwrap();
        assert_eq!(found, Some(value(0)));
    });
}

#[test]
fn readers_get_in_behind_a_batch_that_failed_when_the_store_has_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = &open(folder.path());
    tiers.commit(fuzhou(), &writes(0), b"position");
    tiers.sink().unwrap();
    thread::scope(|scope| {
        let mut reader = None;
        let failed = tiers.write(EngineWork::Commit, 0, |_| {
            reader = Some(scope.spawn(move || {
                let _shared = tiers.turn.read().unwrap();
                tiers.failure.check()
            }));
            Err::<(), _>(sled::Error::ReportableBug("half of it".to_owned()))
        });
        assert!(failed.is_err());
        let told = reader.unwrap().join().unwrap();
        assert!(told.is_err(), "it got in before the store had stopped");
    });
    assert!(tiers.get(fuzhou(), &key(7)).is_err());
}
