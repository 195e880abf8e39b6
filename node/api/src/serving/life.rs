//! How alive a connection is: when it last carried something of use, and whether a handler is at work for
//! it. One measure for all that a silent client can do: send nothing, ask for nothing, read nothing.
//! That it answers pings is no use to anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The life of one connection, as those that serve it share it.
#[derive(Clone, Debug)]
pub(super) struct Life(Arc<Signs>);

#[derive(Debug)]
struct Signs {
    began: Instant,
    /// Milliseconds after it began.
    last_ms: AtomicU64,
    at_work: AtomicUsize,
}

/// A handler is at work as long as this lives.
#[derive(Debug)]
pub(super) struct AtWork(Life);

impl Life {
    pub(super) fn begin() -> Self {
        Self(Arc::new(Signs {
            began: Instant::now(),
            last_ms: AtomicU64::new(0),
            at_work: AtomicUsize::new(0),
        }))
    }

    /// The connection carried something.
    pub(super) fn touch(&self) {
        self.0.last_ms.store(self.now_ms(), Ordering::Release);
    }

    /// A handler begins its work.
    pub(super) fn work(&self) -> AtWork {
        self.0.at_work.fetch_add(1, Ordering::AcqRel);
        AtWork(self.clone())
    }

    /// Ends once no handler was at work and nothing was carried for so long.
    pub(super) async fn silent(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.quiet());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    fn quiet(&self) -> Duration {
        if self.0.at_work.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        let last_ms = self.0.last_ms.load(Ordering::Acquire);
        Duration::from_millis(self.now_ms().saturating_sub(last_ms))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.touch();
        self.0.0.at_work.fetch_sub(1, Ordering::AcqRel);
    }
}
