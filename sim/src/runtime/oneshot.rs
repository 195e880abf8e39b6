//! One value from one task to another.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use openraft_rt::OptionalSend;
use thiserror::Error;

use super::wait_queue::lock;

/// Oneshot channels of the simulated runtime.
#[derive(Debug)]
pub enum SimOneshot {}

impl openraft_rt::Oneshot for SimOneshot {
    type Sender<T: OptionalSend> = OneshotSender<T>;
    type Receiver<T: OptionalSend> = OneshotReceiver<T>;
    type ReceiverError = SenderDropped;

    fn channel<T: OptionalSend>() -> (OneshotSender<T>, OneshotReceiver<T>) {
        let state = Arc::new(Mutex::new(State {
            value: None,
            is_sender_gone: false,
            is_receiver_gone: false,
            waker: None,
        }));
        (OneshotSender(Arc::clone(&state)), OneshotReceiver(state))
    }
}

/// The sender went without sending.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the sender of a oneshot channel was dropped")]
pub struct SenderDropped;

struct State<T> {
    value: Option<T>,
    is_sender_gone: bool,
    is_receiver_gone: bool,
    waker: Option<Waker>,
}

/// Sends the one value.
pub struct OneshotSender<T>(Arc<Mutex<State<T>>>);

impl<T: OptionalSend> openraft_rt::OneshotSender<T> for OneshotSender<T> {
    fn send(self, value: T) -> Result<(), T> {
        let mut state = lock(&self.0);
        if state.is_receiver_gone {
            drop(state);
            return Err(value);
        }
        // The receiver is woken when `self` is dropped.
        state.value = Some(value);
        drop(state);
        Ok(())
    }
}

impl<T> Drop for OneshotSender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_sender_gone = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Waits for the one value.
pub struct OneshotReceiver<T>(Arc<Mutex<State<T>>>);

impl<T> Future for OneshotReceiver<T> {
    type Output = Result<T, SenderDropped>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.0);
        if let Some(value) = state.value.take() {
            return Poll::Ready(Ok(value));
        }
        if state.is_sender_gone {
            return Poll::Ready(Err(SenderDropped));
        }
        let unneeded = state.waker.replace(cx.waker().clone());
        drop(state);
        drop(unneeded);
        Poll::Pending
    }
}

impl<T> Drop for OneshotReceiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_receiver_gone = true;
        let unneeded = (state.value.take(), state.waker.take());
        drop(state);
        drop(unneeded);
    }
}

impl<T> fmt::Debug for OneshotSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneshotSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for OneshotReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneshotReceiver").finish_non_exhaustive()
    }
}
