//! What every `StateStore` promises, as functions over any store: `open` opens the store that
//! belongs to a folder, again and again the same one.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests, called by name from promises.rs"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tongban_runtime::seams::{StateStore, Write, WriteSet};

use crate::support::{Ending, all, flush, fuzhou, group, put, weinan};

type Open<'a, S> = &'a dyn Fn(&Path) -> S;

pub(crate) fn a_group_never_written_is_empty<S: StateStore>(open: Open<'_, S>, folder: &Path) {
    let store = open(folder);
    assert_eq!(store.position(fuzhou()).unwrap(), None);
    assert_eq!(store.get(fuzhou(), b"").unwrap(), None);
    assert_eq!(all(&store, fuzhou()).unwrap(), []);
    store.clear(fuzhou()).unwrap();
    flush(&store).unwrap();
}

pub(crate) fn a_commit_is_read_back_with_its_position<S: StateStore>(
    open: Open<'_, S>,
    folder: &Path,
) {
    let store = open(folder);
    store
        .commit(fuzhou(), &put(b"case", b"collected"), b"1")
        .unwrap();
    assert_eq!(store.get(fuzhou(), b"case").unwrap().unwrap(), b"collected");
    assert_eq!(store.position(fuzhou()).unwrap().unwrap(), b"1");

    let mut writes = put(b"case", b"accepted");
    writes.insert(b"gone".to_vec(), Write::Delete);
    writes.insert(b"empty".to_vec(), Write::Put(Vec::new()));
    store.commit(fuzhou(), &writes, b"2").unwrap();
    assert_eq!(store.get(fuzhou(), b"case").unwrap().unwrap(), b"accepted");
    assert_eq!(store.get(fuzhou(), b"empty").unwrap().unwrap(), b"");
    assert_eq!(store.get(fuzhou(), b"gone").unwrap(), None);

    let deleted = WriteSet::from([(b"case".to_vec(), Write::Delete)]);
    store.commit(fuzhou(), &deleted, b"3").unwrap();
    assert_eq!(store.get(fuzhou(), b"case").unwrap(), None);
    assert_eq!(store.position(fuzhou()).unwrap().unwrap(), b"3");
}

pub(crate) fn an_empty_commit_moves_the_position<S: StateStore>(open: Open<'_, S>, folder: &Path) {
    let store = open(folder);
    store.commit(fuzhou(), &WriteSet::new(), b"7").unwrap();
    assert_eq!(store.position(fuzhou()).unwrap().unwrap(), b"7");
    assert_eq!(all(&store, fuzhou()).unwrap(), []);
}

/// Also of the groups before and behind it, and with keys made of the bytes that end ranges.
pub(crate) fn groups_never_see_each_other<S: StateStore>(open: Open<'_, S>, folder: &Path) {
    let store = open(folder);
    let groups = [
        group(110_000),
        group(350_100),
        group(350_200),
        group(829_900),
    ];
    let keys: [&[u8]; 4] = [b"", b"\0", b"\xff", &[0xff; 32]];
    for (number, group) in (0_u8..).zip(groups) {
        for key in keys {
            store
                .commit(group, &put(key, &[number]), &[number])
                .unwrap();
        }
    }
    store.clear(groups[1]).unwrap();
    for (number, group) in (0_u8..).zip(groups) {
        let (pairs, position) = (all(&store, group).unwrap(), store.position(group).unwrap());
        if number == 1 {
            assert_eq!(
                (pairs, position),
                (vec![], None),
                "a cleared group is empty"
            );
            continue;
        }
        assert_eq!(position, Some(vec![number]));
        assert_eq!(pairs.len(), keys.len());
        assert!(pairs.iter().all(|(_, value)| *value == [number]));
    }
}

pub(crate) fn a_scan_is_ordered_half_open_and_bounded<S: StateStore>(
    open: Open<'_, S>,
    folder: &Path,
) {
    let store = open(folder);
    let writes: WriteSet = (0..300_u16)
        .map(|number| (number.to_be_bytes().to_vec(), Write::Put(vec![1])))
        .collect();
    store.commit(fuzhou(), &writes, b"1").unwrap();
    let keys = |from: u16, until: u16, limit| -> Vec<u16> {
        let pairs = store
            .scan(fuzhou(), &from.to_be_bytes(), &until.to_be_bytes(), limit)
            .unwrap();
        pairs
            .iter()
            .map(|(key, _)| u16::from_be_bytes(key.as_slice().try_into().unwrap()))
            .collect()
    };
    assert_eq!(keys(10, 13, 100), [10, 11, 12]);
    assert_eq!(keys(250, 260, 4), [250, 251, 252, 253]);
    assert_eq!(keys(298, 9_999, usize::MAX), [298, 299]);
    assert_eq!(keys(0, 300, 300), (0..300).collect::<Vec<_>>());
    assert!(keys(5, 5, 9).is_empty());
    assert!(keys(9, 5, 9).is_empty());
    assert!(keys(0, 300, 0).is_empty());
    assert_eq!(store.scan(weinan(), &[], &[0xff], 9).unwrap(), []);
}

/// While one thread commits and others flush, what is read is at least as new as what was committed
/// before the read began. What lies between the keys comes and goes, so that it moves in the engine.
pub(crate) fn a_reader_beside_flushes_never_sees_an_older_value<S: StateStore>(
    open: Open<'_, S>,
    folder: &Path,
) {
    const ROUNDS: u32 = 300;
    const KEYS: u8 = 40;
    let store = open(folder);
    let (committed, over) = (AtomicU32::new(0), AtomicBool::new(false));
    let commit = |round: u32| {
        let mut writes = WriteSet::new();
        for key in 0..KEYS {
            let turn = round + u32::from(key);
            let between = match turn % 7 {
                0..=3 => Write::Put(vec![key; 3_000]),
                _ => Write::Delete,
            };
            writes.insert(vec![key, 1], between);
            if round == 0 || turn.is_multiple_of(3) {
                writes.insert(vec![key], Write::Put(round.to_be_bytes().to_vec()));
            }
        }
        store
            .commit(fuzhou(), &writes, &round.to_be_bytes())
            .unwrap();
        committed.store(round, Ordering::SeqCst);
    };
    let read = |key: u8| {
        // A key was written in the last round or one of the two before it.
        let oldest = committed.load(Ordering::SeqCst).saturating_sub(2);
        let value = store.get(fuzhou(), &[key]).unwrap().unwrap();
        let round = u32::from_be_bytes(value.try_into().unwrap());
        assert!(round >= oldest, "key {key} is older than {oldest}");
        assert_eq!(store.get(fuzhou(), &[key, 2]).unwrap(), None);
    };
    commit(0);
    std::thread::scope(|scope| {
        let _ending = Ending(&over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    (0..KEYS).for_each(read);
                }
            });
        }
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                flush(&store).unwrap();
                std::thread::yield_now();
            }
        });
        (1..ROUNDS).for_each(commit);
    });
    (0..KEYS).for_each(read);
}

pub(crate) fn what_was_flushed_is_there_when_opened_again<S: StateStore>(
    open: Open<'_, S>,
    folder: &Path,
) {
    let mut expected = BTreeMap::new();
    for life in 0..3_u32 {
        let store = open(folder);
        assert_eq!(
            all(&store, fuzhou()).unwrap(),
            Vec::from_iter(expected.clone())
        );
        for number in 0..200_u32 {
            let (key, value) = (
                number.to_be_bytes().to_vec(),
                (life + number).to_be_bytes().repeat(20),
            );
            store
                .commit(fuzhou(), &put(&key, &value), &life.to_be_bytes())
                .unwrap();
            expected.insert(key, value);
        }
        flush(&store).unwrap();
        assert_eq!(
            store.position(fuzhou()).unwrap().unwrap(),
            life.to_be_bytes()
        );
    }
    assert_eq!(
        all(&open(folder), fuzhou()).unwrap(),
        Vec::from_iter(expected)
    );
}

pub(crate) fn many_callers_may_flush_at_once<S: StateStore>(open: Open<'_, S>, folder: &Path) {
    let store = &open(folder);
    std::thread::scope(|scope| {
        for writer in 0..8_u8 {
            scope.spawn(move || {
                for number in 0..20_u8 {
                    store
                        .commit(fuzhou(), &put(&[writer, number], b"x"), &[writer])
                        .unwrap();
                    flush(store).unwrap();
                }
            });
        }
    });
    assert_eq!(all(store, fuzhou()).unwrap().len(), 160);
}
