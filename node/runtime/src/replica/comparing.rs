//! What a replica does about the reports of others: goes on while a majority agrees with it, and stops
//! otherwise, for good. A mark beside its state keeps it aside over every restart; no hash covers the mark, and
//! it goes when the state is wiped. Who agrees is counted in `dissent.rs`.

use std::sync::{MutexGuard, PoisonError};

use tongban_machine::{Alarm, Comparison, Write, WriteSet, ground, placement_of};
use tongban_types::Timestamp;

use super::dissent::{Dissent, Footing};
use super::{Replica, broken};
use crate::ports::{Placement, StateFailed};
use crate::seams::{Platform, StateStore};

/// Keys of the machine begin with letters; beside it stands the feed.
const SET_ASIDE: &[u8] = &[0xFE, 4];

impl<P: Platform> Replica<P> {
    /// Whether this replica stopped for good, because it is not among a majority that holds one state.
    pub fn has_diverged(&self) -> bool {
        self.set_aside.get().is_some()
    }

    /// Why it did, if it did: now, or before an earlier restart.
    pub fn set_aside_reason(&self) -> Option<&str> {
        self.set_aside.get().map(String::as_str)
    }

    /// Reads whether this replica stopped before.
    pub(super) fn read_mark(&self) -> Result<(), StateFailed> {
        let mark = self.store.get(self.group, SET_ASIDE);
        if let Some(mark) = mark.map_err(|e| broken(&e))? {
            let reason = String::from_utf8_lossy(&mark).into_owned();
            let _told_before = self.set_aside.set(reason);
        }
        Ok(())
    }

    /// Takes in what a report came to; an error where this replica stops for it.
    pub(super) fn hear(&self, comparison: Comparison) -> Result<(), StateFailed> {
        match comparison {
            Comparison::Nothing => Ok(()),
            Comparison::Same(voter) => {
                let time = self.read(|view| ground(view).time)?;
                self.dissent().on_same(voter, time);
                Ok(())
            }
            Comparison::Other(alarm) => self.hear_other(alarm),
        }
    }

    fn hear_other(&self, alarm: Alarm) -> Result<(), StateFailed> {
        let (time, placement) = self.read_time_and_placement()?;
        let footing = self.dissent().on_other(alarm.voter, time, &placement);
        tracing::error!(
            group = %self.group,
            voter = %alarm.voter,
            index = alarm.index,
            theirs = ?alarm.theirs,
            ours = ?alarm.ours,
            ?footing,
            "two replicas hold different states"
        );
        if let Some(witness) = &self.witness {
            witness.diverged(self.group, alarm);
        }
        match footing {
            Footing::Agreed | Footing::Open => Ok(()),
            Footing::Lost => Err(self.stop_for(&alarm)),
        }
    }

    fn read_time_and_placement(&self) -> Result<(Timestamp, Placement), StateFailed> {
        self.read(|view| {
            let registry = self.machine.registry(view);
            let placement = registry.map(|registry| placement_of(view, &registry, self.group));
            (ground(view).time, placement.unwrap_or_default())
        })
    }

    /// Leaves the mark; what the store fails of it is told, and this replica stops all the same.
    fn stop_for(&self, alarm: &Alarm) -> StateFailed {
        let reason = format!(
            "{} reported another state at index {}, and no majority of the voters agrees with this \
             replica; it stops here",
            alarm.voter, alarm.index
        );
        if let Err(error) = self.write_mark(&reason) {
            tracing::error!(group = %self.group, %error, "a replica that is set aside is not marked");
        }
        let _told_before = self.set_aside.set(reason.clone());
        StateFailed::Broken { reason }
    }

    fn write_mark(&self, reason: &str) -> Result<(), StateFailed> {
        let position = self.store.position(self.group).map_err(|e| broken(&e))?;
        let mark = Write::Put(reason.as_bytes().to_vec());
        let writes = WriteSet::from([(SET_ASIDE.to_vec(), mark)]);
        self.commit(&writes, &position.unwrap_or_default())
    }

    /// Makes the mark durable.
    pub(super) async fn flush_mark(&self) {
        if let Err(error) = self.store.flush().await {
            tracing::error!(group = %self.group, %error, "a replica that is set aside is not marked");
        }
    }

    pub(super) fn dissent(&self) -> MutexGuard<'_, Dissent> {
        self.dissent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
