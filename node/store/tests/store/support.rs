//! What the tests of the store share: groups, folders, waiting for a future without a runtime.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tongban_runtime::seams::{Pair, StateStore, StoreError, Write, WriteSet};
use tongban_store::{Opened, SledStore};
use tongban_types::{CityCode, GroupId};

/// A page cache too small for most tests' content, so that pages are read from disk.
pub(crate) const CACHE_BYTES: u64 = 1024 * 1024;

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
    open_sized(path, CACHE_BYTES, log_bytes_max)
}

/// The same with another cache.
pub(crate) fn open_sized(path: &Path, cache_bytes: u64, log_bytes_max: u64) -> SledStore {
    let opened = SledStore::open_bounded(path, cache_bytes, log_bytes_max);
    opened.expect("the folder can be used").0
}

pub(crate) fn open_as(path: &Path) -> (SledStore, Opened) {
    SledStore::open(path, CACHE_BYTES).expect("the folder can be used")
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
