//! Which entries of this replica's own log are not durable yet. A state is applied only behind
//! durable entries: an entry may be committed by others before it is durable here, and a state that
//! outlived its log through a power cut could not be brought back in line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::async_runtime::watch::{Watch, WatchReceiver, WatchSender};
use openraft::{AsyncRuntime, Instant as _};

type Sender<R> = <<R as AsyncRuntime>::Watch as Watch>::Sender<u64>;
type Receiver<R> = <<R as AsyncRuntime>::Watch as Watch>::Receiver<u64>;

/// No append is under way.
const NONE: u64 = u64::MAX;

/// The first index that is not durable yet; clones share it.
pub(crate) struct DurableLog<R: AsyncRuntime> {
    appends: Arc<Mutex<Appends<R>>>,
    first_under_way: Receiver<R>,
}

/// Appends under way, in order: the log completes them in order.
struct Appends<R: AsyncRuntime> {
    under_way: VecDeque<Append<R>>,
    next_ticket: u64,
    /// Gone once the log failed.
    first: Option<Sender<R>>,
}

struct Append<R: AsyncRuntime> {
    ticket: u64,
    since: R::Instant,
    /// Its first entry that was not cut off since.
    first: u64,
}

impl<R: AsyncRuntime> Clone for DurableLog<R> {
    fn clone(&self) -> Self {
        Self {
            appends: Arc::clone(&self.appends),
            first_under_way: self.first_under_way.clone(),
        }
    }
}

impl<R: AsyncRuntime> DurableLog<R> {
    /// A log as it was found on the disk: all of it is durable.
    pub(crate) fn new() -> Self {
        let (first, first_under_way) = R::Watch::channel(NONE);
        let appends = Appends {
            under_way: VecDeque::new(),
            next_ticket: 0,
            first: Some(first),
        };
        Self {
            appends: Arc::new(Mutex::new(appends)),
            first_under_way,
        }
    }

    /// Entries from `first` on are handed to the log. The ticket is for their completion.
    pub(crate) fn begin(&self, first: u64) -> u64 {
        let mut appends = self.lock();
        let ticket = appends.next_ticket;
        appends.next_ticket += 1;
        appends.under_way.push_back(Append {
            ticket,
            since: R::Instant::now(),
            first,
        });
        appends.publish();
        ticket
    }

    /// The append of `ticket` is durable, and with it those before it.
    pub(crate) fn complete(&self, ticket: u64) {
        let mut appends = self.lock();
        appends.under_way.retain(|append| append.ticket > ticket);
        appends.publish();
    }

    /// Entries from `end` on were cut off: nobody waits for them any more.
    pub(crate) fn cut(&self, end: u64) {
        let mut appends = self.lock();
        for append in &mut appends.under_way {
            if append.first >= end {
                append.first = NONE;
            }
        }
        appends.publish();
    }

    /// How long the oldest append has been under way, if one is.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        let appends = self.lock();
        appends
            .under_way
            .front()
            .map(|append| append.since.elapsed())
    }

    /// The log failed: what is not durable never will be.
    pub(crate) fn fail(&self) {
        self.lock().first = None;
    }

    /// Returns once no entry up to `index` is under way; `false` if the log failed before.
    pub(crate) async fn reaches(&self, index: u64) -> bool {
        let mut first_under_way = self.first_under_way.clone();
        let passed = first_under_way.wait_until(|first| *first > index).await;
        passed.is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Appends<R>> {
        // Every change under the lock is whole before anything can panic.
        self.appends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: AsyncRuntime> Appends<R> {
    fn publish(&self) {
        let first = self.under_way.iter().map(|append| append.first).min();
        if let Some(sender) = &self.first {
            sender.send_if_different(first.unwrap_or(NONE));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use openraft_rt_tokio::TokioRuntime;

    use super::*;

    fn is_durable(log: &DurableLog<TokioRuntime>, index: u64) -> bool {
        log.reaches(index).now_or_never() == Some(true)
    }

    #[test]
    fn an_entry_is_durable_when_its_append_completed() {
        let log = DurableLog::new();
        assert!(is_durable(&log, 2));
        let first = log.begin(3);
        let second = log.begin(5);
        assert!(is_durable(&log, 2));
        assert!(!is_durable(&log, 3));
        log.complete(first);
        assert!(is_durable(&log, 4));
        assert!(!is_durable(&log, 5));
        log.complete(second);
        assert!(is_durable(&log, 5));
    }

    #[test]
    fn what_took_the_place_of_a_cut_off_entry_is_durable_by_its_own_append() {
        let log = DurableLog::new();
        let before = log.begin(2);
        let cut_off = log.begin(4);
        log.cut(4);
        let instead = log.begin(4);
        log.complete(before);
        assert!(is_durable(&log, 3));
        log.complete(cut_off);
        assert!(!is_durable(&log, 4));
        log.complete(instead);
        assert!(is_durable(&log, 4));
    }

    #[test]
    fn nothing_becomes_durable_in_a_log_that_failed() {
        let log = DurableLog::<TokioRuntime>::new();
        log.begin(1);
        log.fail();
        assert_eq!(log.reaches(1).now_or_never(), Some(false));
    }
}
