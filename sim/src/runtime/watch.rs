//! The latest value, and word that it changed. Several borrows may be held at once; changing the
//! value under a borrow would hang a real runtime and panics here.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll};

use openraft_rt::watch::{RecvError, SendError};
use openraft_rt::{OptionalSend, OptionalSync};

use super::wait_queue::{Ticket, WaitQueue, lock, wake_all};

/// Watch channels of the simulated runtime.
#[derive(Debug)]
pub enum SimWatch {}

impl openraft_rt::Watch for SimWatch {
    type Sender<T: OptionalSend + OptionalSync> = WatchSender<T>;
    type Receiver<T: OptionalSend + OptionalSync> = WatchReceiver<T>;
    type Ref<'a, T: OptionalSend + 'a> = WatchRef<'a, T>;

    fn channel<T: OptionalSend + OptionalSync>(init: T) -> (WatchSender<T>, WatchReceiver<T>) {
        let shared = Arc::new(Shared {
            value: RwLock::new(init),
            state: Mutex::new(State {
                version: 0,
                senders: 1,
                receivers: 1,
                waiting: WaitQueue::default(),
            }),
        });
        let receiver = WatchReceiver {
            shared: Arc::clone(&shared),
            seen: 0,
        };
        (WatchSender(shared), receiver)
    }
}

struct Shared<T> {
    value: RwLock<T>,
    state: Mutex<State>,
}

struct State {
    version: u64,
    senders: usize,
    receivers: usize,
    waiting: WaitQueue,
}

impl<T> Shared<T> {
    fn read(&self) -> WatchRef<'_, T> {
        WatchRef(
            self.value
                .try_read()
                .expect("a watched value is not read while it is being changed"),
        )
    }

    fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.value
            .try_write()
            .expect("a watched value is not changed while it is borrowed")
    }

    fn announce(&self) {
        let mut state = lock(&self.state);
        state.version += 1;
        let waiting = state.waiting.all();
        drop(state);
        wake_all(waiting);
    }
}

/// A borrow of the watched value.
#[derive(Debug)]
pub struct WatchRef<'a, T>(RwLockReadGuard<'a, T>);

impl<T> Deref for WatchRef<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Changes the value.
pub struct WatchSender<T>(Arc<Shared<T>>);

impl<T> Clone for WatchSender<T> {
    fn clone(&self) -> Self {
        lock(&self.0.state).senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for WatchSender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.senders -= 1;
        let waiting = (state.senders == 0).then(|| state.waiting.all());
        drop(state);
        wake_all(waiting.unwrap_or_default());
    }
}

impl<T: OptionalSend + OptionalSync> openraft_rt::WatchSender<SimWatch, T> for WatchSender<T> {
    fn send(&self, value: T) -> Result<(), SendError<T>> {
        if lock(&self.0.state).receivers == 0 {
            return Err(SendError(value));
        }
        let old = std::mem::replace(&mut *self.0.write(), value);
        drop(old);
        self.0.announce();
        Ok(())
    }

    fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        let is_modified = modify(&mut self.0.write());
        if is_modified {
            self.0.announce();
        }
        is_modified
    }

    fn borrow_watched(&self) -> WatchRef<'_, T> {
        self.0.read()
    }

    fn subscribe(&self) -> WatchReceiver<T> {
        let mut state = lock(&self.0.state);
        state.receivers += 1;
        WatchReceiver {
            shared: Arc::clone(&self.0),
            seen: state.version,
        }
    }
}

/// Sees the value.
pub struct WatchReceiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

impl<T> Clone for WatchReceiver<T> {
    fn clone(&self) -> Self {
        lock(&self.shared.state).receivers += 1;
        Self {
            shared: Arc::clone(&self.shared),
            seen: self.seen,
        }
    }
}

impl<T> Drop for WatchReceiver<T> {
    fn drop(&mut self) {
        lock(&self.shared.state).receivers -= 1;
    }
}

impl<T: OptionalSend + OptionalSync> openraft_rt::WatchReceiver<SimWatch, T> for WatchReceiver<T> {
    async fn changed(&mut self) -> Result<(), RecvError> {
        Changed {
            state: &self.shared.state,
            seen: &mut self.seen,
            ticket: Ticket::default(),
        }
        .await
    }

    fn borrow_watched(&self) -> WatchRef<'_, T> {
        self.shared.read()
    }

    fn borrow_and_update(&mut self) -> WatchRef<'_, T> {
        self.seen = lock(&self.shared.state).version;
        self.shared.read()
    }
}

struct Changed<'a> {
    state: &'a Mutex<State>,
    seen: &'a mut u64,
    ticket: Ticket,
}

impl Future for Changed<'_> {
    type Output = Result<(), RecvError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = lock(this.state);
        if state.version != *this.seen {
            *this.seen = state.version;
            return Poll::Ready(Ok(()));
        }
        if state.senders == 0 {
            return Poll::Ready(Err(RecvError(())));
        }
        let unneeded = state.waiting.wait(&mut this.ticket, cx.waker());
        drop(state);
        drop(unneeded);
        Poll::Pending
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        // Everybody is called at once, so there is no wake to hand on.
        let unneeded = lock(self.state).waiting.withdraw(self.ticket);
        drop(unneeded);
    }
}

impl<T> fmt::Debug for WatchSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for WatchReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchReceiver").finish_non_exhaustive()
    }
}
