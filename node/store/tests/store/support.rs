//! What the tests of the store share: groups, folders, waiting for a future without a runtime.

use std::fs;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tongban_runtime::seams::{Pair, StateStore, StoreError, Write, WriteSet};
use tongban_store::{Bounds, Opened, SledStore};
use tongban_types::{CityCode, GroupId};

/// Too little memory for most tests' content, so that pages are read from disk, of which each file holds some dozens.
pub(crate) fn bounds() -> Bounds {
    Bounds {
        page_file_bytes_max: 512 * 1024,
        ..Bounds::with_cache(1024 * 1024)
    }
}

pub(crate) fn fuzhou() -> GroupId {
    group(350_100)
}

pub(crate) fn weinan() -> GroupId {
    group(610_500)
}

pub(crate) fn group(code: u32) -> GroupId {
    GroupId(CityCode::new(code).expect("a test names real cities"))
}

pub(crate) fn put(key: &[u8], value: &[u8]) -> WriteSet {
    WriteSet::from([(key.to_vec(), Write::Put(value.to_vec()))])
}

pub(crate) fn open(path: &Path) -> SledStore {
    open_as(path).0
}

/// A store whose engine is opened anew when its log has grown by so many bytes.
pub(crate) fn open_bounded(path: &Path, log_bytes_max: u64) -> SledStore {
    let bounds = Bounds {
        log_bytes_max,
        ..bounds()
    };
    open_within(path, bounds)
}

pub(crate) fn open_within(path: &Path, bounds: Bounds) -> SledStore {
    let opened = SledStore::open(path, bounds);
    opened.expect("the folder can be used").0
}

pub(crate) fn open_as(path: &Path) -> (SledStore, Opened) {
    SledStore::open(path, bounds()).expect("the folder can be used")
}

/// What a process that is killed now leaves, but for the locks.
pub(crate) fn left_by_a_kill(path: &Path) -> tempfile::TempDir {
    let left = tempfile::tempdir().expect("there is room");
    copy_into(path, left.path());
    left
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().expect("it is there").is_dir() {
            fs::create_dir(&to).expect("there is room");
            copy_into(&from, &to);
        } else {
            fs::copy(from, to).expect("there is room");
        }
    }
}

/// Every pair of a group.
pub(crate) fn all<S: StateStore>(store: &S, group: GroupId) -> Result<Vec<Pair>, StoreError> {
    store.scan(group, &[], &[0xff; 64], usize::MAX)
}

pub(crate) fn flush<S: StateStore>(store: &S) -> Result<(), StoreError> {
    block_on(store.flush())
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Lets threads that wait for it end, also when the one that has it panics.
pub(crate) struct Ending<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
