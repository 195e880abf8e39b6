//! The requests of one (peer, lane) that wait: to be written, or for their answer. Their number and
//! bytes are bounded here; ids grow in the order the requests were made, which is the order they
//! are written in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tongban_types::Code;

use crate::frame::MalformedFrame;

/// How a request ended other than by its own time running out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The peer answered.
    Answered(Bytes),
    /// The peer refused.
    Refused(Code),
    /// There is no stream; the request was not written to one.
    Lost,
    /// The stream died after the request was written to it: the peer may have acted.
    Unclear,
}

/// The waiting requests of one (peer, lane).
#[derive(Debug)]
pub(crate) struct Pending {
    table: Mutex<Table>,
    /// Something is to be written.
    unwritten: Notify,
    requests_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Table {
    waiting: BTreeMap<u64, Waiting>,
    /// Ids from here on were never given out.
    next_id: u64,
    /// Requests from here on were not written yet.
    next_unwritten: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    /// Until it is written.
    body: Option<Bytes>,
    size: usize,
    deadline: Instant,
    outcome: oneshot::Sender<Outcome>,
}

/// A request to be written now.
#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(crate) id: u64,
    pub(crate) ttl: Duration,
    pub(crate) body: Bytes,
}

/// One waiting request; dropping it forgets the request.
#[derive(Debug)]
pub(crate) struct Ticket {
    id: u64,
    pending: Arc<Pending>,
    outcome: oneshot::Receiver<Outcome>,
}

/// The bound is reached; nothing was taken in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Pending {
    pub(crate) fn new(requests_max: usize, bytes_max: usize) -> Self {
        Self {
            table: Mutex::default(),
            unwritten: Notify::new(),
            requests_max,
            bytes_max,
        }
    }

    /// Takes a request in, behind those taken in before.
    pub(crate) fn add(self: &Arc<Self>, body: Bytes, deadline: Instant) -> Result<Ticket, Full> {
        let mut table = self.lock();
        let size = body.len();
        if table.waiting.len() >= self.requests_max || table.bytes + size > self.bytes_max {
            return Err(Full);
        }
        let id = table.next_id;
        let (sender, outcome) = oneshot::channel();
        table.next_id += 1;
        table.bytes += size;
        table.waiting.insert(
            id,
            Waiting {
                body: Some(body),
                size,
                deadline,
                outcome: sender,
            },
        );
        drop(table);
        self.unwritten.notify_one();
        Ok(Ticket {
            id,
            pending: Arc::clone(self),
            outcome,
        })
    }

    /// Requests that wait or are under way.
    pub(crate) fn count(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Returns once something may be to be written.
    pub(crate) async fn wait_unwritten(&self) {
        while !self.has_unwritten() {
            self.unwritten.notified().await;
        }
    }

    /// The next request to write, with what is left of its time; those out of time are passed over.
    pub(crate) fn next_unwritten(&self) -> Option<Unwritten> {
        let mut table = self.lock();
        let now = Instant::now();
        let from = table.next_unwritten;
        let unwritten = table.waiting.range_mut(from..).find_map(|(id, waiting)| {
            let ttl = waiting.deadline.saturating_duration_since(now);
            if ttl.is_zero() {
                return None;
            }
            let body = waiting.body.take()?;
            Some(Unwritten { id: *id, ttl, body })
        });
        table.next_unwritten = unwritten.as_ref().map_or(table.next_id, |next| next.id + 1);
        unwritten
    }

    /// Ends a request. An answer that comes after its request was given up is no fault.
    pub(crate) fn settle(&self, id: u64, outcome: Outcome) -> Result<(), MalformedFrame> {
        let mut table = self.lock();
        if id >= table.next_unwritten {
            return Err(MalformedFrame::NeverAsked { id });
        }
        if let Some(waiting) = table.remove(id) {
            // The asker may be gone this instant.
            let _ = waiting.outcome.send(outcome);
        }
        Ok(())
    }

    /// Ends all requests: the stream died or cannot be had.
    pub(crate) fn lose_all(&self) {
        let mut table = self.lock();
        table.next_unwritten = table.next_id;
        table.bytes = 0;
        for waiting in std::mem::take(&mut table.waiting).into_values() {
            let outcome = if waiting.body.is_some() {
                Outcome::Lost
            } else {
                Outcome::Unclear
            };
            let _ = waiting.outcome.send(outcome);
        }
    }

    fn has_unwritten(&self) -> bool {
        let table = self.lock();
        table.waiting.range(table.next_unwritten..).next().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn remove(&mut self, id: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        self.bytes -= waiting.size;
        Some(waiting)
    }
}

impl Ticket {
    /// How the request ended.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        (&mut self.outcome).await.unwrap_or(Outcome::Unclear)
    }

    /// Whether the request was written to a stream, so that the peer may have acted.
    pub(crate) fn is_written(&self) -> bool {
        let table = self.pending.lock();
        let waiting = table.waiting.get(&self.id);
        waiting.is_none_or(|waiting| waiting.body.is_none())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pending.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Arc<Pending> {
        Arc::new(Pending::new(3, 100))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    fn add(pending: &Arc<Pending>, bytes: usize) -> Result<Ticket, Full> {
        pending.add(Bytes::from(vec![0; bytes]), soon())
    }

    #[test]
    fn count_and_bytes_are_bounded_and_given_back() {
        let pending = pending();
        let held: Vec<_> = (0..3).map(|_| add(&pending, 1).unwrap()).collect();
        assert_eq!(add(&pending, 1).unwrap_err(), Full);
        drop(held);
        let _large = add(&pending, 100).unwrap();
        assert_eq!(add(&pending, 1).unwrap_err(), Full);
        pending.lose_all();
        assert!(add(&pending, 100).is_ok());
    }

    #[test]
    fn requests_are_written_in_the_order_they_were_made() {
        let pending = pending();
        let _tickets: Vec<_> = (0..3).map(|_| add(&pending, 1).unwrap()).collect();
        let written = std::iter::from_fn(|| pending.next_unwritten());
        assert_eq!(
            written.map(|request| request.id).collect::<Vec<_>>(),
            [0, 1, 2]
        );
    }

    #[test]
    fn a_request_out_of_time_is_not_written() {
        let pending = pending();
        let late = pending.add(Bytes::new(), Instant::now()).unwrap();
        let _in_time = add(&pending, 1).unwrap();
        assert_eq!(pending.next_unwritten().unwrap().id, 1);
        assert!(!late.is_written());
    }

    #[tokio::test]
    async fn what_was_written_when_its_stream_died_is_unclear_and_the_rest_is_lost() {
        let pending = pending();
        let mut written = add(&pending, 1).unwrap();
        assert_eq!(pending.next_unwritten().unwrap().id, 0);
        let mut unwritten = add(&pending, 1).unwrap();
        pending.lose_all();
        assert_eq!(written.outcome().await, Outcome::Unclear);
        assert_eq!(unwritten.outcome().await, Outcome::Lost);
    }

    #[tokio::test]
    async fn an_answer_after_giving_up_is_ignored_and_one_never_asked_for_is_malformed() {
        let pending = pending();
        let given_up = add(&pending, 1).unwrap();
        let mut waiting = add(&pending, 1).unwrap();
        while pending.next_unwritten().is_some() {}
        drop(given_up);
        assert_eq!(pending.settle(0, Outcome::Lost), Ok(()));
        let answered = Outcome::Answered(Bytes::from_static(b"yes"));
        assert_eq!(pending.settle(1, answered.clone()), Ok(()));
        assert_eq!(waiting.outcome().await, answered);
        assert_eq!(
            pending.settle(2, Outcome::Lost),
            Err(MalformedFrame::NeverAsked { id: 2 })
        );
    }
}
