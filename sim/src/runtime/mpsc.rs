//! Bounded channels from many senders to one receiver.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use openraft_rt::{OptionalSend, SendError, TryRecvError};

use super::wait_queue::{Ticket, WaitQueue, lock, wake_all};

/// Bounded channels of the simulated runtime.
#[derive(Debug)]
pub enum SimMpsc {}

impl openraft_rt::Mpsc for SimMpsc {
    type Sender<T: OptionalSend> = MpscSender<T>;
    type Receiver<T: OptionalSend> = MpscReceiver<T>;
    type WeakSender<T: OptionalSend> = MpscWeakSender<T>;

    fn channel<T: OptionalSend>(buffer: usize) -> (MpscSender<T>, MpscReceiver<T>) {
        let channel: Channel<T> = Arc::new(Mutex::new(State {
            queue: VecDeque::new(),
            buffer,
            senders: 1,
            is_receiver_gone: false,
            receiver: None,
            blocked: WaitQueue::default(),
        }));
        (MpscSender(Arc::clone(&channel)), MpscReceiver(channel))
    }
}

type Channel<T> = Arc<Mutex<State<T>>>;

struct State<T> {
    queue: VecDeque<T>,
    buffer: usize,
    senders: usize,
    is_receiver_gone: bool,
    receiver: Option<Waker>,
    blocked: WaitQueue,
}

/// Sends; counts as one sender for as long as it lives.
pub struct MpscSender<T>(Channel<T>);

impl<T> Clone for MpscSender<T> {
    fn clone(&self) -> Self {
        lock(&self.0).senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for MpscSender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.senders -= 1;
        let waker = (state.senders == 0).then(|| state.receiver.take());
        drop(state);
        if let Some(waker) = waker.flatten() {
            waker.wake();
        }
    }
}

impl<T: OptionalSend> openraft_rt::MpscSender<SimMpsc, T> for MpscSender<T> {
    fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> + OptionalSend {
        SendFuture {
            channel: &self.0,
            value: Some(value),
            ticket: Ticket::default(),
        }
    }

    fn downgrade(&self) -> MpscWeakSender<T> {
        MpscWeakSender(Arc::clone(&self.0))
    }
}

struct SendFuture<'a, T> {
    channel: &'a Mutex<State<T>>,
    value: Option<T>,
    ticket: Ticket,
}

impl<T> Unpin for SendFuture<'_, T> {}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = lock(this.channel);
        if !state.is_receiver_gone && state.queue.len() >= state.buffer {
            let unneeded = state.blocked.wait(&mut this.ticket, cx.waker());
            drop(state);
            drop(unneeded);
            return Poll::Pending;
        }
        let value = this
            .value
            .take()
            .expect("a send is not polled after its end");
        if state.is_receiver_gone {
            drop(state);
            return Poll::Ready(Err(SendError(value)));
        }
        state.queue.push_back(value);
        let waker = state.receiver.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for SendFuture<'_, T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            let left = lock(self.channel).blocked.leave(self.ticket);
            left.settle();
        }
    }
}

/// Does not keep the channel open.
pub struct MpscWeakSender<T>(Channel<T>);

impl<T> Clone for MpscWeakSender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: OptionalSend> openraft_rt::MpscWeakSender<SimMpsc, T> for MpscWeakSender<T> {
    fn upgrade(&self) -> Option<MpscSender<T>> {
        let mut state = lock(&self.0);
        if state.senders == 0 {
            return None;
        }
        state.senders += 1;
        drop(state);
        Some(MpscSender(Arc::clone(&self.0)))
    }
}

/// Receives.
pub struct MpscReceiver<T>(Channel<T>);

impl<T> MpscReceiver<T> {
    fn take(&mut self, waiting: Option<&Waker>) -> Result<T, TryRecvError> {
        let mut state = lock(&self.0);
        if let Some(value) = state.queue.pop_front() {
            let blocked = state.blocked.next();
            drop(state);
            if let Some(blocked) = blocked {
                blocked.wake();
            }
            return Ok(value);
        }
        if state.senders == 0 {
            return Err(TryRecvError::Disconnected);
        }
        let unneeded = waiting.and_then(|waker| state.receiver.replace(waker.clone()));
        drop(state);
        drop(unneeded);
        Err(TryRecvError::Empty)
    }
}

impl<T: OptionalSend> openraft_rt::MpscReceiver<T> for MpscReceiver<T> {
    fn recv(&mut self) -> impl Future<Output = Option<T>> + OptionalSend {
        std::future::poll_fn(|cx| match self.take(Some(cx.waker())) {
            Ok(value) => Poll::Ready(Some(value)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => Poll::Pending,
        })
    }

    fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.take(None)
    }
}

impl<T> Drop for MpscReceiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_receiver_gone = true;
        let unneeded = (std::mem::take(&mut state.queue), state.receiver.take());
        let blocked = state.blocked.all();
        drop(state);
        drop(unneeded);
        wake_all(blocked);
    }
}

impl<T> fmt::Debug for MpscSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpscSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for MpscWeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpscWeakSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for MpscReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpscReceiver").finish_non_exhaustive()
    }
}
