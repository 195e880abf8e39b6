//! Whatever is done to the store, it answers like an ordered map a group.

use std::collections::BTreeMap;

use crate::support::{all, flush, group, open_within};
use proptest::prelude::*;
use tongban_runtime::seams::{StateStore, Write, WriteSet};
use tongban_store::Bounds;
use tongban_types::GroupId;

#[derive(Clone, Debug)]
enum Act {
    Commit(usize, WriteSet),
    Clear(usize),
    Get(usize, Vec<u8>),
    Scan(usize, Vec<u8>, Vec<u8>, usize),
    Flush,
    Reopen,
}

#[derive(Default)]
struct Model {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    position: Option<Vec<u8>>,
}

const GROUPS: usize = 3;

/// So small that the engine is also opened anew while the store is open.
const LOG_BYTES_MAX: u64 = 4 * 1024;

/// And that files of pages are begun, compacted and removed.
const PAGE_FILE_BYTES_MAX: u64 = 32 * 1024;

fn groups() -> [GroupId; GROUPS] {
    [group(350_100), group(350_200), group(610_500)]
}

/// Few keys, so that they meet, and some at the ends of ranges.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..60_u8).prop_map(|byte| vec![byte, b'/', byte]),
        1 => prop::collection::vec(any::<u8>(), 0..24),
        1 => Just(vec![0xff; 8]),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => (any::<u8>(), 0..600_usize).prop_map(|(byte, len)| Write::Put(vec![byte; len])),
        1 => Just(Write::Delete),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let one = 0..GROUPS;
    prop_oneof![
        12 => (one.clone(), prop::collection::btree_map(key(), write(), 0..40))
            .prop_map(|(group, writes)| Act::Commit(group, writes)),
        1 => one.clone().prop_map(Act::Clear),
        6 => (one.clone(), key()).prop_map(|(group, key)| Act::Get(group, key)),
        4 => (one, key(), key(), 0..50_usize)
            .prop_map(|(group, from, until, limit)| Act::Scan(group, from, until, limit)),
        4 => Just(Act::Flush),
        1 => Just(Act::Reopen),
    ]
}

/// Room for all pages at hand, for some, and for the last one alone.
fn cache_bytes() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1024 * 1024), Just(64 * 1024), Just(1024)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_like_a_map(
        cache_bytes in cache_bytes(),
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let bounds = Bounds {
            cache_bytes,
            log_bytes_max: LOG_BYTES_MAX,
            page_file_bytes_max: PAGE_FILE_BYTES_MAX,
        };
        let mut store = open_within(&path, bounds);
        let mut models: [Model; GROUPS] = Default::default();
        for (step, act) in acts.into_iter().enumerate() {
            match act {
                Act::Commit(at, writes) => {
                    let position = step.to_be_bytes().to_vec();
                    store.commit(groups()[at], &writes, &position).unwrap();
                    models[at].position = Some(position);
                    for (key, write) in writes {
                        match write {
                            Write::Put(value) => models[at].pairs.insert(key, value),
                            Write::Delete => models[at].pairs.remove(&key),
                        };
                    }
                }
                Act::Clear(at) => {
                    store.clear(groups()[at]).unwrap();
                    models[at] = Model::default();
                }
                Act::Get(at, key) => {
                    let value = store.get(groups()[at], &key).unwrap();
                    prop_assert_eq!(value.as_ref(), models[at].pairs.get(&key));
                }
                Act::Scan(at, from, until, limit) => {
                    let pairs = store.scan(groups()[at], &from, &until, limit).unwrap();
                    let expected: Vec<_> = if from < until {
                        models[at].pairs.range(from..until).take(limit)
                            .map(|(key, value)| (key.clone(), value.clone())).collect()
                    } else {
                        Vec::new()
                    };
                    prop_assert_eq!(pairs, expected);
                }
                Act::Flush => flush(&store).unwrap(),
                Act::Reopen => {
                    flush(&store).unwrap();
                    drop(store);
                    store = open_within(&path, bounds);
                }
            }
        }
        for (group, model) in groups().into_iter().zip(models) {
            prop_assert_eq!(store.position(group).unwrap(), model.position);
            for (key, value) in &model.pairs {
                let read = store.get(group, key).unwrap();
                prop_assert_eq!(read.as_ref(), Some(value));
            }
            prop_assert_eq!(all(&store, group).unwrap(), Vec::from_iter(model.pairs));
        }
    }
}
