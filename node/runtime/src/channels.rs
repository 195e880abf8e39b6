//! The runtime's channels by short names. Senders are kept behind a lock because not every runtime's
//! sender may be shared as it is.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openraft_rt::{AsyncRuntime, Mpsc, MpscReceiver, MpscSender, Oneshot, OneshotSender};

type Sender<R, T> = <<R as AsyncRuntime>::Mpsc as Mpsc>::Sender<T>;
type Receiver<R, T> = <<R as AsyncRuntime>::Mpsc as Mpsc>::Receiver<T>;
type AnswerSender<R, T> = <<R as AsyncRuntime>::Oneshot as Oneshot>::Sender<T>;
type AnswerReceiver<R, T> = <<R as AsyncRuntime>::Oneshot as Oneshot>::Receiver<T>;

/// The sending end of a bounded queue.
pub(crate) struct Queue<R: AsyncRuntime, T: Send + 'static> {
    sender: Mutex<Sender<R, T>>,
}

/// The receiving end of a bounded queue.
pub(crate) struct Inlet<R: AsyncRuntime, T: Send + 'static> {
    receiver: Receiver<R, T>,
}

pub(crate) fn queue<R: AsyncRuntime, T: Send + 'static>(
    bound: usize,
) -> (Queue<R, T>, Inlet<R, T>) {
    let (sender, receiver) = R::Mpsc::channel(bound);
    (
        Queue {
            sender: Mutex::new(sender),
        },
        Inlet { receiver },
    )
}

impl<R: AsyncRuntime, T: Send + 'static> Queue<R, T> {
    /// Waits for room; whether the other end is still there.
    pub(crate) async fn put(&self, value: T) -> bool {
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        sender.send(value).await.is_ok()
    }
}

impl<R: AsyncRuntime, T: Send + 'static> Inlet<R, T> {
    /// The next one; `None` once the other end is gone.
    pub(crate) async fn take(&mut self) -> Option<T> {
        self.receiver.recv().await
    }

    /// The next one if it is here already.
    pub(crate) fn take_ready(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// Where one answer is given.
pub(crate) struct Reply<R: AsyncRuntime, T: Send + 'static>(AnswerSender<R, T>);

/// Where one answer is awaited.
pub(crate) struct Awaited<R: AsyncRuntime, T: Send + 'static>(AnswerReceiver<R, T>);

pub(crate) fn answer<R: AsyncRuntime, T: Send + 'static>() -> (Reply<R, T>, Awaited<R, T>) {
    let (sender, receiver) = R::Oneshot::channel();
    (Reply(sender), Awaited(receiver))
}

impl<R: AsyncRuntime, T: Send + 'static> Reply<R, T> {
    /// Gives the answer; nobody may be waiting any more.
    pub(crate) fn give(self, value: T) {
        let _ = self.0.send(value);
    }
}

impl<R: AsyncRuntime, T: Send + 'static> Awaited<R, T> {
    /// The answer; `None` after `timeout`, or if it will never come.
    pub(crate) async fn within(self, timeout: Duration) -> Option<T> {
        R::timeout(timeout, self.0).await.ok()?.ok()
    }
}
