//! The writers: each hands in one application after the other, as soon as the one before is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tongban_runtime::seams::Entropy as _;

use super::front_end::{FrontEnd, PATH};
use crate::platform::OsEntropy;

/// What writers hand in, where, and until when.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Whom writers hand in at.
    pub(super) front_end: Arc<FrontEnd>,
    pub(super) item: &'static str,
    pub(super) form: String,
    /// Whether each is handed over to its authority at once.
    pub(super) hand_over: bool,
    /// Whether the next may be handed in.
    pub(super) pace: Pace,
    /// What is answered from then on is measured.
    pub(super) begin: Instant,
    /// Nothing is begun from then on.
    pub(super) end: Instant,
    /// Nothing is begun beyond that either.
    pub(super) quota: Arc<Quota>,
}

/// How many applications all writers together begin at most.
#[derive(Debug)]
pub(super) struct Quota {
    begun: AtomicU64,
    max: u64,
}

impl Quota {
    /// So many.
    pub(super) fn of(max: u64) -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicU64::new(0),
            max,
        })
    }

    /// As many as there is time for.
    pub(super) fn unbounded() -> Arc<Self> {
        Self::of(u64::MAX)
    }

    fn has_one_more(&self) -> bool {
        self.begun.fetch_add(1, Ordering::Relaxed) < self.max
    }
}

/// Holds writers back, so that what they hand in does not outrun what is measured.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Whether to go on.
    pub(super) go: watch::Receiver<bool>,
    /// Applications answered so far.
    pub(super) answered: Arc<AtomicU64>,
}

impl Pace {
    /// As fast as they are answered.
    pub(super) fn unbounded() -> Self {
        Self::held_by(watch::Sender::new(true).subscribe())
    }

    /// While `go` says so, and without end once its sender is gone.
    pub(super) fn held_by(go: watch::Receiver<bool>) -> Self {
        Self {
            go,
            answered: Arc::default(),
        }
    }
}

/// What was answered in the measured time.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Time from request to answer of each replicated application.
    pub(super) latencies: Vec<Duration>,
    /// Requests answered otherwise, or not at all.
    pub(super) failures: u64,
    /// What the first of them said.
    pub(super) first_failure: Option<String>,
}

/// Writers at work.
#[derive(Debug)]
pub(super) struct Writers(JoinSet<Written>);

impl Writers {
    pub(super) fn start(count: usize, load: &Load) -> Self {
        let body = format!(
            r#"{{"item":{{"code":"{}","version":1}},"form":{},"hand_over":{}}}"#,
            load.item, load.form, load.hand_over
        );
        let body = Bytes::from(body);
        let mut writers = JoinSet::new();
        for writer in 0..count {
            writers.spawn(write(writer, load.clone(), body.clone()));
        }
        Self(writers)
    }

    /// Waits for all, and gathers what they saw.
    pub(super) async fn finish(mut self) -> Written {
        let mut all = Written::default();
        while let Some(written) = self.0.join_next().await {
            let Ok(written) = written else { continue };
            all.latencies.extend(written.latencies);
            all.failures += written.failures;
            all.first_failure = all.first_failure.or(written.first_failure);
        }
        all.latencies.sort_unstable();
        all
    }
}

async fn write(writer: usize, mut load: Load, body: Bytes) -> Written {
    let mut written = Written::default();
    let name = data_encoding::HEXLOWER.encode(&OsEntropy.array::<8>());
    for turn in 0_u64.. {
        // An error means that nobody holds them back any more.
        let _ = load.pace.go.wait_for(|go| *go).await;
        let asked = Instant::now();
        if asked >= load.end || !load.quota.has_one_more() {
            break;
        }
        let key = format!("{name}-{turn}");
        let headers = [
            ("idempotency-key", key.as_str()),
            ("prefer", "wait=replicated"),
        ];
        let answer = load.front_end.hand_in(writer, &headers, body.clone()).await;
        let answered = Instant::now();
        let is_measured = answered >= load.begin && answered < load.end;
        match answer {
            Ok(answer) if answer.status == 201 => {
                load.pace.answered.fetch_add(1, Ordering::Relaxed);
                if is_measured {
                    written.latencies.push(answered - asked);
                }
            }
            Ok(answer) => {
                let refused = answer.unexpected(Method::POST, PATH);
                written.failed(refused.to_string());
            }
            Err(error) => written.failed(format!("{error:#}")),
        }
    }
    written
}

impl Written {
    fn failed(&mut self, what: String) {
        self.failures += 1;
        self.first_failure.get_or_insert(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_begun_than_the_quota_has() {
        let quota = Quota::of(3);
        assert_eq!((0..9).filter(|_| quota.has_one_more()).count(), 3);
        assert!(Quota::unbounded().has_one_more());
    }
}
