//! Waiting for a time, and giving up at one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use thiserror::Error;

use super::dice::nanoseconds;
use super::executor;
use super::instant::SimInstant;
use super::timer::{Due, TimerKey};

/// Done at a true time. Sleeping by a machine's clock is turned into true time when it begins.
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    at_ns: u64,
    world: u64,
    timer: Option<TimerKey>,
}

impl Sleep {
    fn new(at_ns: u64, world: u64) -> Self {
        Self {
            at_ns,
            world,
            timer: None,
        }
    }

    /// Waits a length of time by the clock of the current owner.
    pub(crate) fn local(duration: Duration) -> Self {
        executor::with(|world| {
            let clock = world.clock(world.owner());
            let reading = clock.reading(world.now_ns);
            let at_ns = clock.true_time_of(reading.saturating_add(nanoseconds(duration)));
            Self::new(at_ns, world.world)
        })
    }

    /// Waits until the clock of the current owner shows an instant.
    pub(crate) fn until(instant: SimInstant) -> Self {
        executor::with(|world| {
            let clock = world.clock(world.owner());
            Self::new(clock.true_time_of(instant.reading()), world.world)
        })
    }

    /// Waits a length of true time: for devices, which keep no clock, and for the world around them.
    pub fn true_time(duration: Duration) -> Self {
        executor::with(|world| {
            let at_ns = world.now_ns.saturating_add(nanoseconds(duration));
            Self::new(at_ns, world.world)
        })
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (poll, unneeded) = executor::with(|world| {
            if world.now_ns >= self.at_ns || world.world != self.world {
                return (Poll::Ready(()), None);
            }
            if let Some(key) = self.timer
                && let Ok(unneeded) = world.timers.rewake(key, cx.waker())
            {
                return (Poll::Pending, unneeded);
            }
            let wake = Due::Wake(cx.waker().clone());
            self.timer = Some(world.set_timer(self.at_ns, wake));
            (Poll::Pending, None)
        });
        drop(unneeded);
        poll
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(key) = self.timer.take() else {
            return;
        };
        let unneeded =
            executor::with(|world| (world.world == self.world).then(|| world.timers.cancel(key)));
        drop(unneeded);
    }
}

/// The time ran out first.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the deadline has passed")]
pub struct DeadlinePassed;

pin_project_lite::pin_project! {
    /// A future that is given up at a time.
    #[derive(Debug)]
    #[must_use = "a time limit does nothing unless it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        limit: Sleep,
    }
}

impl<F> Timeout<F> {
    pub(crate) fn new(future: F, limit: Sleep) -> Self {
        Self { future, limit }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, DeadlinePassed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        this.limit.poll(cx).map(|()| Err(DeadlinePassed))
    }
}
