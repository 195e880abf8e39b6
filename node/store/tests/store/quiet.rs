//! The engine logs nothing of what it stores: its trace lines, which name keys and values, are
//! compiled out.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use tongban_runtime::seams::StateStore;

use crate::support::{all, flush, fuzhou, open, put};

const KEY: &str = "350102199001011234";
const VALUE: &str = "林建国";

static LINES: AtomicU64 = AtomicU64::new(0);
static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Watch;

impl Log for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LINES.fetch_add(1, Ordering::Relaxed);
        let line = record.args().to_string();
        let as_numbers = |text: &str| format!("{:?}", text.as_bytes()).replace(['[', ']'], "");
        for secret in [
            KEY.to_owned(),
            VALUE.to_owned(),
            as_numbers(KEY),
            as_numbers(VALUE),
        ] {
            if line.contains(&secret) {
                LEAKS.lock().expect("no line panics").push(line.clone());
            }
        }
    }

    fn flush(&self) {}
}

#[test]
fn no_log_line_holds_a_key_or_a_value() {
    log::set_logger(&Watch).unwrap();
    log::set_max_level(LevelFilter::Trace);
    log::warn!("{KEY}");
    assert_eq!(
        LEAKS.lock().unwrap().drain(..).count(),
        1,
        "a leak would be seen"
    );

    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let store = open(folder.path());
        for number in 0..200_u32 {
            let key = format!("{KEY}{number}");
            store
                .commit(fuzhou(), &put(key.as_bytes(), VALUE.as_bytes()), b"1")
                .unwrap();
        }
        assert_eq!(all(&store, fuzhou()).unwrap().len(), 200);
        assert!(!format!("{store:?}").contains(KEY));
        flush(&store).unwrap();
        store.clear(fuzhou()).unwrap();
    }
    assert!(LINES.load(Ordering::Relaxed) > 1, "the engine does log");
    assert_eq!(*LEAKS.lock().unwrap(), Vec::<String>::new());
}
