//! What the requests of one (peer, lane) may take up here: how many are answered at once, their bytes,
//! and the bytes of answers that wait to be written. It outlives streams, so that opening one again
//! gives a peer no more.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tongban_types::limits::FRAME_BYTES_MAX;

use crate::config::Tuning;

/// Bytes a permit of a byte bound stands for, as permits are counted in `u32`.
const PERMIT_BYTES: usize = 1024;

/// The bounds of one (peer, lane).
pub(crate) struct Allowance {
    calls: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

/// A part of it, given back when dropped.
pub(crate) struct Held {
    call: OwnedSemaphorePermit,
    /// The request's place in the quota of its peer, if it has one there.
    of_peer: Option<OwnedSemaphorePermit>,
    bytes: OwnedSemaphorePermit,
}

impl Allowance {
    pub(crate) fn new(tuning: &Tuning) -> Self {
        // Never less than one frame, which could otherwise never start.
        let units =
            |bytes: usize| Arc::new(Semaphore::new(bytes.max(FRAME_BYTES_MAX) / PERMIT_BYTES));
        Self {
            calls: Arc::new(Semaphore::new(tuning.calls_max)),
            bytes: units(tuning.call_bytes_max),
            answers: units(tuning.answer_bytes_max),
        }
    }

    /// Waits for room for a request, and until no answer waits for room: an answer was asked for
    /// earlier, and permits are given in the order they were asked for.
    pub(crate) async fn take(&self, bytes: usize) -> Held {
        drop(acquire(&self.answers, 1).await);
        Held {
            call: acquire(&self.calls, 1).await,
            of_peer: None,
            bytes: acquire(&self.bytes, units(bytes)).await,
        }
    }

    /// The request is answered: what it held of the bytes of requests goes back, and the answer takes
    /// its part of theirs.
    pub(crate) async fn turn_to_answer(&self, held: Held, bytes: usize) -> Held {
        let Held {
            call,
            of_peer,
            bytes: of_request,
        } = held;
        // Before it waits: who takes no answers holds no more than their bound.
        drop(of_request);
        let bytes = bytes.min(FRAME_BYTES_MAX);
        Held {
            call,
            of_peer,
            bytes: acquire(&self.answers, units(bytes)).await,
        }
    }
}

impl Held {
    /// Keeps the request's place in the quota of its peer for as long.
    pub(crate) fn with(mut self, of_peer: Option<OwnedSemaphorePermit>) -> Self {
        self.of_peer = of_peer;
        self
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes / PERMIT_BYTES).unwrap_or(u32::MAX)
}

async fn acquire(semaphore: &Arc<Semaphore>, permits: u32) -> OwnedSemaphorePermit {
    let permit = Arc::clone(semaphore).acquire_many_owned(permits).await;
    permit.expect("it is never closed")
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;

    #[tokio::test]
    async fn a_request_whose_answer_waits_holds_no_bytes_of_requests() {
        let allowance = Allowance::new(&Tuning::default());
        let (bytes, answers) = (
            allowance.bytes.available_permits(),
            allowance.answers.available_permits(),
        );
        let held = allowance.take(FRAME_BYTES_MAX).await;
        assert!(allowance.bytes.available_permits() < bytes);
        // The peer takes no answers.
        let all = acquire(&allowance.answers, u32::try_from(answers).unwrap()).await;
        let mut waiting = std::pin::pin!(allowance.turn_to_answer(held, 1024));
        assert!(poll_immediate(&mut waiting).await.is_none());
        assert_eq!(allowance.bytes.available_permits(), bytes);
        drop(all);
    }
}
