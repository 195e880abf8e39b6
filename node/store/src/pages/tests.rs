//! Pages at hand beside those in the engine and in files.

use std::collections::BTreeMap;

use super::*;
use crate::page_files::LiveBytes;

/// One right behind the other.
const GROUPS: [[u8; keys::GROUP_BYTES]; 2] = [[0, 5, 6, 7], [0, 5, 6, 8]];
const KEYS: u16 = 600;

fn place(group: [u8; keys::GROUP_BYTES], key: u16) -> Vec<u8> {
    [group.as_slice(), &key.to_be_bytes()].concat()
}

/// Puts some blocks of keys and deletes others, each turn others.
fn changes(turn: u16) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let mut changes = BTreeMap::new();
    for (shift, group) in (0..).zip(GROUPS) {
        for key in 0..KEYS {
            let value = match (key / 20 + turn * 13 + shift) % 11 {
                0 | 1 => Some(turn.to_be_bytes().repeat(150)),
                2 | 3 => None,
                _ => continue,
            };
            changes.insert(place(group, key), value);
        }
    }
    changes
}

#[test]
fn what_is_at_hand_is_what_the_engine_holds_whatever_is_written_and_forgotten() {
    for known_bytes_max in [0, 40 * 1024, 1 << 20] {
        let folder = tempfile::tempdir().unwrap();
        let settings = sled::Config::new().path(folder.path()).flush_every_ms(None);
        let tree = settings.open().unwrap();
        let files = folder.path().join("pages");
        let files = PageFiles::open(&files, 64 * 1024, &LiveBytes::new()).unwrap();
        let known = RwLock::new(KnownPages::new(known_bytes_max));
        let pages = Pages::new(&tree, &files, &known);
        let mut expected = BTreeMap::new();
        let mut at_hand = 0;
        for turn in 0..40 {
            let mut layer = Layer::default();
            for (place, value) in changes(turn) {
                layer.change(place.clone(), value.clone());
                expected.insert(place, value);
            }
            let batch = pages.batch_of(&layer).unwrap();
            pages.apply(batch.put_down(&files).unwrap()).unwrap();
            at_hand += pages.check_at_hand();
            for (place, value) in &expected {
                let page = pages.find(place).unwrap();
                let found = page.map(|page| value_on(&page.bytes, place).unwrap());
                assert_eq!(found.flatten().as_ref(), value.as_ref());
            }
            if turn % 8 == 7 {
                while pages.forget_some(GROUPS[0]).unwrap() {}
                expected.retain(|place, _| !place.starts_with(&GROUPS[0]));
                assert_eq!(pages.at_hand(&place(GROUPS[0], 300)), None);
                assert!(pages.find(&place(GROUPS[0], 300)).unwrap().is_none());
            }
            at_hand += pages.check_at_hand();
        }
        assert!(at_hand > 0);
    }
}
