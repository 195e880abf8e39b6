//! Case numbers of this node: its own two digits and the day's sequence, so that desks never collide.
//! Numbers are reserved durably in runs, a sequence a day, so that none is given twice across a
//! restart or a clock set back; a gap means no more than that a process ended within a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
        }
    }

    /// The next number of a day.
    pub(crate) async fn next(&self, day: CivilDay) -> Result<CaseNumber, NodeError> {
        loop {
            match self.step(day) {
                Step::Take(sequence) => {
                    return CaseNumber::new(self.me.city(), day, self.me.number(), sequence)
                        .map_err(|_| NodeError::NumbersUsedUp);
                }
                Step::Reserve(reserved) => self.reserve(day, reserved).await?,
            }
        }
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
            // Several may have asked at once: all for the same run.
            run.reserved = run.reserved.max(reserved);
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
