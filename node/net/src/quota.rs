//! What one peer may ask of this node on all lanes together: requests being answered at once, and
//! bytes a second. It outlives streams and connections. Whoever is over it is first read more slowly
//! and then refused with a code; its connection stays, and nobody else waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tongban_runtime::seams::Lane;

use crate::config::Tuning;

/// The quota of one peer.
#[derive(Debug)]
pub(crate) struct Quota {
    calls: Arc<Semaphore>,
    bytes: Mutex<ByteRate>,
    patience: Duration,
    /// Requests refused since the start.
    refused: AtomicU64,
}

/// A bucket of tokens that fills at a rate, as the instant at which it would be full: the later that
/// is, the emptier it is.
#[derive(Debug)]
struct ByteRate {
    per_second: u64,
    /// The time the whole bucket stands for.
    burst: Duration,
    full_at: Instant,
}

/// The peer asks for more than its share.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OverQuota;

impl Quota {
    pub(crate) fn new(tuning: &Tuning) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(tuning.calls_of_peer_max)),
            bytes: Mutex::new(ByteRate {
                per_second: tuning.peer_bytes_per_second.max(1),
                burst: tuning.peer_burst,
                full_at: Instant::now(),
            }),
            patience: tuning.quota_wait_max,
            refused: AtomicU64::new(0),
        }
    }

    /// Takes the place and the bytes of one request, after a wait that slows its peer down, or refuses
    /// it. What Raft says is only slowed down: a group that loses a voter over its neighbours' requests
    /// would be the worse harm.
    pub(crate) async fn take(
        &self,
        lane: Lane,
        bytes: usize,
    ) -> Result<Option<OwnedSemaphorePermit>, OverQuota> {
        let taken = self.try_take(lane, bytes).await;
        if taken.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// How many requests were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    async fn try_take(
        &self,
        lane: Lane,
        bytes: usize,
    ) -> Result<Option<OwnedSemaphorePermit>, OverQuota> {
        let is_raft = matches!(
            lane,
            Lane::RaftAppend | Lane::RaftControl | Lane::RaftSnapshot
        );
        let call = if is_raft {
            None
        } else {
            let call = Arc::clone(&self.calls).try_acquire_owned();
            Some(call.map_err(|_| OverQuota)?)
        };
        let patience = if is_raft {
            Duration::MAX
        } else {
            self.patience
        };
        let wait = self.charge(bytes, patience)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(call)
    }

    fn charge(&self, bytes: usize, patience: Duration) -> Result<Duration, OverQuota> {
        let mut rate = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        rate.charge(Instant::now(), bytes, patience)
    }
}

impl ByteRate {
    /// How long until this many bytes are there; they are taken at once, unless that is too long.
    fn charge(
        &mut self,
        now: Instant,
        bytes: usize,
        patience: Duration,
    ) -> Result<Duration, OverQuota> {
        let cost_us = (bytes as u64).saturating_mul(1_000_000) / self.per_second;
        let full_at = self.full_at.max(now) + Duration::from_micros(cost_us);
        let wait = full_at.saturating_duration_since(now + self.burst);
        if wait > patience {
            return Err(OverQuota);
        }
        self.full_at = full_at;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(now: Instant) -> ByteRate {
        ByteRate {
            per_second: 1_000,
            burst: 2 * SECOND,
            full_at: now,
        }
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_what_is_too_much_is_refused_and_not_charged() {
        let now = Instant::now();
        let mut rate = rate(now);
        assert_eq!(rate.charge(now, 2_000, SECOND), Ok(Duration::ZERO));
        assert_eq!(rate.charge(now, 500, SECOND), Ok(SECOND / 2));
        assert_eq!(rate.charge(now, 1_000, SECOND), Err(OverQuota));
        assert_eq!(rate.charge(now, 500, SECOND), Ok(SECOND));
        assert_eq!(rate.charge(now + SECOND, 1_000, SECOND), Ok(SECOND));
        let later = now + 60 * SECOND;
        assert_eq!(rate.charge(later, 2_000, SECOND), Ok(Duration::ZERO));
        assert_eq!(rate.charge(later, 1_001, SECOND), Err(OverQuota));
    }

    #[tokio::test]
    async fn requests_at_once_are_bounded_over_all_lanes_but_rafts() {
        let quota = Quota::new(&Tuning {
            calls_of_peer_max: 2,
            ..Tuning::default()
        });
        let first = quota.take(Lane::Submit, 10).await.unwrap();
        let _second = quota.take(Lane::Parcel, 10).await.unwrap();
        assert_eq!(quota.refused(), 0);
        assert_eq!(quota.take(Lane::Keys, 10).await.unwrap_err(), OverQuota);
        assert_eq!(quota.refused(), 1);
        assert!(quota.take(Lane::RaftAppend, 10).await.unwrap().is_none());
        drop(first);
        assert!(quota.take(Lane::Keys, 10).await.is_ok());
    }
}
