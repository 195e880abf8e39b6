//! Those who wait for one thing, first come, first woken. A future that is dropped while it waits
//! leaves the queue, and hands on a wake it can no longer use.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Locks a mutex of this one-threaded world. A panic of a task has ended the run anyway, so its
/// poison says nothing more.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in a queue; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Wakers in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue {
    last: u64,
    waiting: VecDeque<(Ticket, Waker)>,
}

impl WaitQueue {
    /// Queues a waker under a ticket, or renews it if the ticket is still queued. Returns a waker
    /// to be dropped outside of any lock.
    pub(crate) fn wait(&mut self, ticket: &mut Ticket, waker: &Waker) -> Option<Waker> {
        if *ticket != Ticket::default() {
            let queued = self.waiting.iter_mut().find(|(place, _)| place == ticket);
            if let Some((_, queued)) = queued {
                return Some(std::mem::replace(queued, waker.clone()));
            }
        }
        self.last += 1;
        *ticket = Ticket(self.last);
        self.waiting.push_back((*ticket, waker.clone()));
        None
    }

    /// Takes the first waker out.
    pub(crate) fn next(&mut self) -> Option<Waker> {
        self.waiting.pop_front().map(|(_, waker)| waker)
    }

    /// Takes all wakers out.
    pub(crate) fn all(&mut self) -> VecDeque<(Ticket, Waker)> {
        std::mem::take(&mut self.waiting)
    }

    /// Leaves the queue with what was waited for, or with nothing to hand on. Returns a waker to be
    /// dropped outside of any lock.
    pub(crate) fn withdraw(&mut self, ticket: Ticket) -> Option<Waker> {
        let place = self
            .waiting
            .iter()
            .position(|(other, _)| *other == ticket)?;
        self.waiting.remove(place).map(|(_, waker)| waker)
    }

    /// Leaves the queue without having got what was waited for. If the ticket had been called, the
    /// next in line is returned, to be woken in its stead.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Left {
        if ticket == Ticket::default() {
            return Left::Nothing;
        }
        match self.withdraw(ticket) {
            Some(waker) => Left::Unneeded(waker),
            None => self.next().map_or(Left::Nothing, Left::Instead),
        }
    }
}

/// What leaving a queue leaves to do, outside of any lock.
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// A waker to drop.
    Unneeded(Waker),
    /// Another waiter to wake.
    Instead(Waker),
}

impl Left {
    /// Does it.
    pub(crate) fn settle(self) {
        match self {
            Self::Nothing => {}
            Self::Unneeded(waker) => drop(waker),
            Self::Instead(waker) => waker.wake(),
        }
    }
}

/// Wakes all that were taken out.
pub(crate) fn wake_all(waiting: VecDeque<(Ticket, Waker)>) {
    for (_, waker) in waiting {
        waker.wake();
    }
}
