//! A mutex that tasks may hold across awaits. The value moves into the guard and back, so that no
//! unsafe cell is needed; whoever finds it gone waits in line.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use openraft_rt::OptionalSend;

use super::wait_queue::{Ticket, WaitQueue, lock};

/// The mutex of the simulated runtime.
pub struct AsyncMutex<T>(Mutex<State<T>>);

struct State<T> {
    /// Absent while a guard holds it.
    value: Option<T>,
    waiting: WaitQueue,
}

impl<T: OptionalSend + 'static> openraft_rt::Mutex<T> for AsyncMutex<T> {
    type Guard<'a> = AsyncMutexGuard<'a, T>;

    fn new(value: T) -> Self {
        Self(Mutex::new(State {
            value: Some(value),
            waiting: WaitQueue::default(),
        }))
    }

    fn lock(&self) -> impl Future<Output = AsyncMutexGuard<'_, T>> + OptionalSend {
        LockFuture {
            mutex: self,
            ticket: Ticket::default(),
            is_done: false,
        }
    }
}

/// Waits for the mutex.
pub struct LockFuture<'a, T> {
    mutex: &'a AsyncMutex<T>,
    ticket: Ticket,
    is_done: bool,
}

impl<'a, T> Future for LockFuture<'a, T> {
    type Output = AsyncMutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = lock(&this.mutex.0);
        if let Some(value) = state.value.take() {
            // Taken ahead of those in line: the ticket may still be among them.
            let unneeded = state.waiting.withdraw(this.ticket);
            drop(state);
            drop(unneeded);
            this.is_done = true;
            return Poll::Ready(AsyncMutexGuard {
                mutex: this.mutex,
                value: Some(value),
            });
        }
        let unneeded = state.waiting.wait(&mut this.ticket, cx.waker());
        drop(state);
        drop(unneeded);
        Poll::Pending
    }
}

impl<T> Drop for LockFuture<'_, T> {
    fn drop(&mut self) {
        if !self.is_done {
            let left = lock(&self.mutex.0).waiting.leave(self.ticket);
            left.settle();
        }
    }
}

/// Holds the value until it is dropped.
pub struct AsyncMutexGuard<'a, T> {
    mutex: &'a AsyncMutex<T>,
    value: Option<T>,
}

impl<T> Deref for AsyncMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
            .as_ref()
            .expect("a guard holds the value until it is dropped")
    }
}

impl<T> DerefMut for AsyncMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value
            .as_mut()
            .expect("a guard holds the value until it is dropped")
    }
}

impl<T> Drop for AsyncMutexGuard<'_, T> {
    fn drop(&mut self) {
        let mut state = lock(&self.mutex.0);
        state.value = self.value.take();
        let waker = state.waiting.next();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> fmt::Debug for AsyncMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncMutex").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for LockFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockFuture").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for AsyncMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncMutexGuard").finish_non_exhaustive()
    }
}
