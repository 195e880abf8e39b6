//! Case numbers of this node: its own two digits and the day's sequence, so that desks never collide.
//! Numbers are reserved durably in runs, a sequence a day, so that none is given twice across a
//! restart or a clock set back; a gap means no more than that a process ended within a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::lock::Mutex as AsyncMutex;
use tongban_types::{CaseNumber, CivilDay, NodeId, decode, encode};

use crate::desk::Sequence;
use crate::handle::NodeError;
use crate::ports::{LocalLog, LocalTable, LocalWrite};

/// Numbers reserved with one write: a day has a million.
const RUN: u32 = 512;

#[derive(Clone, Copy)]
struct Run {
    next: u32,
    reserved: u32,
}

/// Gives out case numbers.
pub(crate) struct Numbers {
    me: NodeId,
    local: Arc<dyn LocalLog>,
    runs: Mutex<BTreeMap<CivilDay, Run>>,
    /// Held while a run is reserved: a record written late must not lower one written meanwhile.
    reserving: AsyncMutex<()>,
}

enum Step {
    Take(u32),
    Reserve(u32),
}

impl Numbers {
    /// Goes on behind whatever was reserved before.
    pub(crate) fn open(me: NodeId, local: Arc<dyn LocalLog>) -> Self {
        Self {
            me,
            local,
            runs: Mutex::new(BTreeMap::new()),
            reserving: AsyncMutex::new(()),
        }
    }

    /// The next number of a day.
    pub(crate) async fn next(&self, day: CivilDay) -> Result<CaseNumber, NodeError> {
        loop {
            if let Step::Take(sequence) = self.step(day) {
                return self.number(day, sequence);
            }
            let _alone = self.reserving.lock().await;
            // Somebody else may have reserved meanwhile.
            match self.step(day) {
                Step::Take(sequence) => return self.number(day, sequence),
                Step::Reserve(reserved) => self.reserve(day, reserved).await?,
            }
        }
    }

    fn number(&self, day: CivilDay, sequence: u32) -> Result<CaseNumber, NodeError> {
        CaseNumber::new(self.me.city(), day, self.me.number(), sequence)
            .map_err(|_| NodeError::NumbersUsedUp)
    }

    fn step(&self, day: CivilDay) -> Step {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.entry(day).or_insert_with(|| {
            let reserved = self.stored(day);
            Run {
                next: reserved,
                reserved,
            }
        });
        if run.next < run.reserved {
            run.next += 1;
            return Step::Take(run.next - 1);
        }
        if run.reserved > CaseNumber::SEQUENCE_MAX {
            return Step::Take(run.reserved);
        }
        Step::Reserve(run.reserved + RUN)
    }

    async fn reserve(&self, day: CivilDay, reserved: u32) -> Result<(), NodeError> {
        let write = LocalWrite {
            table: LocalTable::Counters,
            key: key(day),
            value: Some(encode(&Sequence { reserved })),
        };
        let written = self.local.write(vec![write]).await;
        written.map_err(|error| NodeError::Failed(error.to_string()))?;
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = runs.get_mut(&day) {
            run.reserved = reserved;
        }
        Ok(())
    }

    fn stored(&self, day: CivilDay) -> u32 {
        let stored = self.local.get(LocalTable::Counters, &key(day));
        stored
            .and_then(|bytes| decode::<Sequence>(&bytes).ok())
            .map_or(0, |s| s.reserved)
    }
}

fn key(day: CivilDay) -> Vec<u8> {
    format!("case-sequence/{day}").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use futures_util::future::{join_all, poll_immediate};
    use futures_util::lock::Mutex as Gate;

    use super::*;
    use crate::ports::LogFailed;

    /// A log whose disk writes while nobody holds it up.
    #[derive(Default)]
    struct Log {
        disk: Gate<()>,
        kept: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
        begun: Mutex<usize>,
    }

    #[async_trait::async_trait]
    impl LocalLog for Log {
        fn get(&self, _: LocalTable, key: &[u8]) -> Option<Vec<u8>> {
            self.kept.lock().unwrap().get(key).cloned()
        }

        fn scan(&self, _: LocalTable, _: &[u8], _: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
            Vec::new()
        }

        fn count(&self, _: LocalTable) -> usize {
            self.kept.lock().unwrap().len()
        }

        fn failed(&self) -> Option<LogFailed> {
            None
        }

        async fn write(&self, writes: Vec<LocalWrite>) -> Result<(), LogFailed> {
            *self.begun.lock().unwrap() += 1;
            drop(self.disk.lock().await);
            let mut kept = self.kept.lock().unwrap();
            kept.extend(
                writes
                    .into_iter()
                    .filter_map(|write| Some((write.key, write.value?))),
            );
            Ok(())
        }
    }

    /// Polls until it is done: nothing here waits for another thread.
    fn drive<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            let polled = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(done) = polled {
                return done;
            }
        }
    }

    #[test]
    fn a_slow_write_never_takes_a_reservation_back_and_no_number_is_given_twice() {
        let log = Arc::new(Log::default());
        let me = "350100-01".parse().unwrap();
        let day = tongban_types::Timestamp::from_unix_ms(1_790_000_000_000).china_day();
        let numbers = Numbers::open(me, log.clone());
        let run = usize::try_from(RUN).unwrap();
        let all = drive(async {
            let held = log.disk.lock().await;
            let mut drawing = pin!(join_all((0..3 * run).map(|_| numbers.next(day))));
            assert!(poll_immediate(&mut drawing).await.is_none());
            assert_eq!(
                *log.begun.lock().unwrap(),
                1,
                "one run is reserved at a time"
            );
            drop(held);
            drawing.await
        });
        let given: BTreeSet<CaseNumber> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(given.len(), 3 * run);
        assert_eq!(*log.begun.lock().unwrap(), 3);
        let again = Numbers::open(me, log);
        let next = drive(again.next(day)).unwrap();
        assert!(!given.contains(&next));
    }
}
