//! How a store opens: empty, as it was left, or wiped because what is there cannot be used.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::support::{all, bounds, flush, fuzhou, left_by_a_kill, open, open_as, put, weinan};
use tongban_runtime::seams::StateStore;
use tongban_store::{OpenError, Opened, SledStore};

const PAIRS: u32 = 3_000;

fn value(number: u32) -> Vec<u8> {
    number.to_le_bytes().repeat(100)
}

fn fill(path: &Path) {
    let store = open(path);
    for number in 0..PAIRS {
        let writes = put(&number.to_be_bytes(), &value(number));
        store
            .commit(fuzhou(), &writes, &number.to_be_bytes())
            .expect("the store is well");
    }
    flush(&store).expect("the store is well");
}

fn is_refilled(path: &Path) -> bool {
    let (store, opened) = open_as(path);
    if !matches!(opened, Opened::Refilled { .. }) {
        return false;
    }
    assert_eq!(store.position(fuzhou()).expect("the store is well"), None);
    assert_eq!(all(&store, fuzhou()).expect("the store is well"), []);
    store
        .commit(fuzhou(), &put(b"new", b"1"), b"1")
        .expect("the store is well");
    flush(&store).expect("the store is well");
    drop(store);
    let (store, opened) = open_as(path);
    assert_eq!(opened, Opened::Existing);
    assert_eq!(
        store
            .get(fuzhou(), b"new")
            .expect("the store is well")
            .as_deref(),
        Some(&b"1"[..])
    );
    true
}

#[test]
fn a_new_store_is_fresh_and_then_existing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/down/state");
    assert_eq!(open_as(&path).1, Opened::Fresh);
    assert_eq!(open_as(&path).1, Opened::Existing);
}

#[test]
fn a_store_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.commit(fuzhou(), &put(b"a", b"1"), b"1").unwrap();
    let second = SledStore::open(folder.path(), bounds());
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    assert_eq!(first.get(fuzhou(), b"a").unwrap().unwrap(), b"1");
    drop(first);
    assert_eq!(open_as(folder.path()).1, Opened::Existing);
}

#[test]
fn a_store_locked_by_a_foreign_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let foreign = File::open(folder.path().join("db")).unwrap();
    foreign.lock().unwrap();
    let opened = SledStore::open(folder.path(), bounds());
    assert!(matches!(opened, Err(OpenError::InUse { .. })));
    foreign.unlock().unwrap();
    assert_eq!(open_as(folder.path()).1, Opened::Existing);
}

#[test]
fn a_path_that_is_a_file_is_an_error_and_keeps_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    fs::write(&path, "a letter").unwrap();
    assert!(matches!(
        SledStore::open(&path, bounds()),
        Err(OpenError::Folder { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a letter");
}

#[test]
fn a_log_of_garbage_is_wiped() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let db = folder.path().join("db");
    let length = fs::metadata(&db).unwrap().len();
    fs::write(&db, vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
    assert!(is_refilled(folder.path()));
}

#[test]
fn a_log_cut_short_is_wiped_or_reads_nothing_wrong() {
    for cut in [0, 1, 20, 4096, 300_000] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        File::options()
            .write(true)
            .open(folder.path().join("db"))
            .unwrap()
            .set_len(cut)
            .unwrap();
        never_believes_what_was_not_written(folder.path());
    }
}

#[test]
fn damaged_index_and_settings_are_wiped() {
    for name in ["conf", "snap."] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        drop(open(folder.path()));
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(name)
            {
                fs::write(path, [0x5a; 64]).unwrap();
            }
        }
        assert!(is_refilled(folder.path()), "{name}");
    }
}

fn index_names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("the folder is there");
    entries
        .map(|entry| {
            let name = entry.expect("the folder can be read").file_name();
            name.into_string().expect("every name is a text")
        })
        .filter(|name| name.starts_with("snap.") || name == "indexing")
        .collect()
}

/// Two it takes as a rule, and of 240 runs beside others eight took more.
const OPENINGS_TO_REST_MAX: usize = 20;

#[test]
fn an_opening_leaves_one_index_and_nothing_it_was_written_in() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let mut before = Vec::new();
    for number in 0..3_u32 {
        let (store, opened) = open_as(folder.path());
        assert_eq!(opened, Opened::Existing);
        let names = index_names(folder.path());
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(names[0].starts_with("snap."), "{names:?}");
        assert_ne!(names, before);
        before = names;
        store
            .commit(fuzhou(), &put(b"opened", &number.to_be_bytes()), b"opened")
            .unwrap();
        flush(&store).unwrap();
    }
    // Nothing was written since. The engine may still move pages out of parts of its file that are nearly
    // free; when it is done, an opening finds what the one before it left.
    let comes_to_rest = (0..OPENINGS_TO_REST_MAX).any(|_| {
        drop(open(folder.path()));
        let names = index_names(folder.path());
        assert_eq!(names.len(), 1, "{names:?}");
        let is_at_rest = names == before;
        before = names;
        is_at_rest
    });
    assert!(comes_to_rest, "{before:?}");
}

/// What a kill leaves while the next index is written, or while what it was written in is removed.
#[test]
fn the_rest_of_an_opening_does_not_cost_the_state() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let rest = folder.path().join("indexing");
    fs::create_dir(&rest).unwrap();
    fs::hard_link(folder.path().join("db"), rest.join("db")).unwrap();
    fs::write(rest.join("snap.7FFFFFFFFFFFFFFE"), b"another's").unwrap();
    fs::write(rest.join("blobs"), []).unwrap();
    let (store, opened) = open_as(folder.path());
    assert_eq!(opened, Opened::Existing);
    assert!(!rest.exists());
    let read = store.get(fuzhou(), &7_u32.to_be_bytes()).unwrap();
    assert_eq!(read, Some(value(7)));
}

/// What a kill in the middle of opening leaves.
#[test]
fn an_unfinished_index_file_does_not_cost_the_state() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    fs::write(
        folder.path().join("snap.7FFFFFFFFFFFFFFF.generating"),
        b"half",
    )
    .unwrap();
    let (store, opened) = open_as(folder.path());
    assert_eq!(opened, Opened::Existing);
    let read = store.get(fuzhou(), &7_u32.to_be_bytes()).unwrap();
    assert_eq!(read, Some(value(7)));
}

/// Damage anywhere: the store opens as it was, or wiped, or stops at a read and is wiped next
/// time. It never panics and never hands out a value that was not written.
#[test]
fn damage_is_never_believed() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let files = ["db".to_owned(), last_of_pages(folder.path())];
    for (name, number) in files
        .iter()
        .flat_map(|name| (0..24).map(move |it| (name, it)))
    {
        let damaged = left_by_a_kill(folder.path());
        let path = damaged.path().join(name);
        let length = fs::metadata(&path).unwrap().len();
        let file = File::options().write(true).open(path).unwrap();
        file.write_all_at(&[0x77; 700], length * number / 24)
            .unwrap();
        drop(file);
        never_believes_what_was_not_written(damaged.path());
    }
}

/// The name of the file of pages that was appended to last.
fn last_of_pages(path: &Path) -> String {
    let entries = fs::read_dir(path.join("pages")).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("the folder can be read").file_name());
    let last = names.max().expect("there is a file");
    format!("pages/{}", last.to_str().expect("every name is a text"))
}

#[test]
fn a_state_whose_pages_are_missing_or_cut_short_is_wiped_or_reads_nothing_wrong() {
    for cut in [0, 20, 4096] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let last = folder.path().join(last_of_pages(folder.path()));
        let file = File::options().write(true).open(&last).unwrap();
        file.set_len(cut).unwrap();
        never_believes_what_was_not_written(folder.path());
    }
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    fs::remove_file(folder.path().join(last_of_pages(folder.path()))).unwrap();
    assert!(is_refilled(folder.path()));
}

fn never_believes_what_was_not_written(path: &Path) {
    let (store, opened) = open_as(path);
    let mut failed = false;
    for number in 0..PAIRS {
        match store.get(fuzhou(), &number.to_be_bytes()) {
            Ok(None) => {}
            Ok(Some(read)) => assert_eq!(read, value(number)),
            Err(_) => failed = true,
        }
    }
    drop(store);
    let again = open_as(path).1;
    if failed {
        assert!(
            matches!(again, Opened::Refilled { .. }),
            "failed as {opened:?}, then {again:?}"
        );
    } else {
        assert_eq!(again, Opened::Existing, "after {opened:?}");
    }
}

#[test]
fn a_foreign_sled_is_wiped_and_foreign_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = sled::Config::new()
        .path(folder.path())
        .segment_size(1024 * 1024)
        .flush_every_ms(None)
        .open()
        .unwrap();
    foreign.insert("theirs", "1").unwrap();
    foreign.flush().unwrap();
    drop(foreign);
    fs::write(folder.path().join("letter"), "kept").unwrap();
    let (store, opened) = open_as(folder.path());
    let Opened::Refilled { reason } = opened else {
        panic!("opened as {opened:?}");
    };
    assert!(reason.contains("marker is absent"), "{reason}");
    drop(store);
    assert_eq!(
        fs::read_to_string(folder.path().join("letter")).unwrap(),
        "kept"
    );
}

#[test]
fn another_format_is_wiped() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let db = sled::Config::new()
        .path(folder.path())
        .segment_size(1024 * 1024)
        .flush_every_ms(None)
        .open()
        .unwrap();
    db.insert(b"\xfeformat", "tongban-store/1").unwrap();
    db.flush().unwrap();
    drop(db);
    let (_, opened) = open_as(folder.path());
    assert!(matches!(opened, Opened::Refilled { reason } if reason.contains("another's")));
}

/// A store whose files shrink under it stops for good, and the next start fills it again.
#[test]
fn after_one_failure_every_call_fails_until_it_is_refilled() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let store = open(folder.path());
    for entry in fs::read_dir(folder.path().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(0).unwrap();
    }
    assert!(
        (0..PAIRS).any(|number| store.get(fuzhou(), &number.to_be_bytes()).is_err()),
        "some page had to be read from the file"
    );
    assert!(store.get(weinan(), b"").is_err());
    assert!(store.scan(weinan(), b"", b"", 1).is_err());
    assert!(store.scan(weinan(), b"", b"z", 1).is_err());
    assert!(store.position(weinan()).is_err());
    assert!(store.commit(weinan(), &put(b"a", b"1"), b"1").is_err());
    assert!(store.clear(weinan()).is_err());
    assert!(flush(&store).is_err());
    drop(store);
    assert!(is_refilled(folder.path()));
}

/// What a crash in the middle of `clear` leaves: no position, some pairs.
#[test]
fn a_clear_cut_short_is_finished_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let store = open(folder.path());
    store.commit(weinan(), &put(b"kept", b"1"), b"1").unwrap();
    drop(store);
    let db = sled::Config::new()
        .path(folder.path())
        .segment_size(1024 * 1024)
        .flush_every_ms(None)
        .open()
        .unwrap();
    let position = [[0xff].as_slice(), &350_100_u32.to_be_bytes()].concat();
    assert!(
        db.remove(position).unwrap().is_some(),
        "that is where the position stands"
    );
    db.flush().unwrap();
    drop(db);
    let (store, opened) = open_as(folder.path());
    assert_eq!(opened, Opened::Existing);
    assert_eq!(store.position(fuzhou()).unwrap(), None);
    assert_eq!(all(&store, fuzhou()).unwrap(), []);
    assert_eq!(store.get(weinan(), b"kept").unwrap().unwrap(), b"1");
}
