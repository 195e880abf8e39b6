//! A bell: whoever waits is told that something changed, not what. Built on the runtime's watch
//! channel, so that it rings in virtual time too.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use openraft_rt::{AsyncRuntime, Watch, WatchReceiver, WatchSender};

type Sender<R> = <<R as AsyncRuntime>::Watch as Watch>::Sender<u64>;
type Receiver<R> = <<R as AsyncRuntime>::Watch as Watch>::Receiver<u64>;

/// A bell many may ring and many may hear.
pub struct Signal<R: AsyncRuntime> {
    // Not every runtime's sender may be shared as it is. The receiver keeps the channel open.
    ends: Mutex<(Sender<R>, Receiver<R>)>,
}

impl<R: AsyncRuntime> std::fmt::Debug for Signal<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signal")
    }
}

impl<R: AsyncRuntime> Default for Signal<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: AsyncRuntime> Signal<R> {
    /// A bell nobody has rung.
    pub fn new() -> Self {
        Self {
            ends: Mutex::new(R::Watch::channel(0)),
        }
    }

    /// Rings.
    pub fn ring(&self) {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.0.send_if_modified(|rung| {
            *rung = rung.wrapping_add(1);
            true
        });
    }

    /// An ear that hears every ring from now on, at least once.
    pub fn listen(&self) -> Listener<R> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        Listener {
            receiver: ends.1.clone(),
        }
    }
}

/// Lets other tasks of this thread run before a long piece of work goes on.
pub(crate) async fn give_way() {
    let mut was_asked = false;
    poll_fn(|context| {
        if was_asked {
            return Poll::Ready(());
        }
        was_asked = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Hears a bell.
pub struct Listener<R: AsyncRuntime> {
    receiver: Receiver<R>,
}

impl<R: AsyncRuntime> std::fmt::Debug for Listener<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

impl<R: AsyncRuntime> Listener<R> {
    /// Forgets what was rung so far.
    pub fn mark(&mut self) {
        let _ = self.receiver.borrow_and_update();
    }

    /// Returns at the next ring since the last mark, or after `timeout`; whether it rang.
    pub async fn heard(&mut self, timeout: Duration) -> bool {
        matches!(
            R::timeout(timeout, self.receiver.changed()).await,
            Ok(Ok(()))
        )
    }
}
