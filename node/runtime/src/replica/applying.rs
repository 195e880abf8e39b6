//! Entries applied through the machine in the order of the log, and what they change committed with their
//! place in it.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_machine::{CheckedEntry, WriteSet};
use tongban_types::encode;

use super::position::frame_position;
use super::{Replica, broken};
use crate::ports::{CommittedEntry, EntryBody, StateFailed};
use crate::seams::{Platform, StateStore};
use crate::signal::give_way;

/// A check of an entry's signatures that runs beside the applying of those before it.
type Check<R> = <R as AsyncRuntime>::JoinHandle<CheckedEntry>;

/// Entries whose signatures are checked at once: as many cores as a small machine has.
const CHECKS_AHEAD: usize = 4;

impl<P: Platform> Replica<P> {
    /// Starts to check an entry, if there is anything to check in it.
    fn start_check(&self, entry: &CommittedEntry) -> Option<Check<P::Runtime>> {
        let EntryBody::Proposal(bytes) = &entry.body else {
            return None;
        };
        let (group, bytes) = (self.group, bytes.clone());
        Some(P::Runtime::spawn(async move {
            CheckedEntry::check(group, bytes.to_vec())
        }))
    }

    /// Applies in order; the signatures of the next few entries are checked meanwhile.
    pub(super) async fn apply_all(
        &self,
        entries: Vec<CommittedEntry>,
    ) -> Result<Vec<Bytes>, StateFailed> {
        let mut replies = Vec::with_capacity(entries.len());
        let mut ahead = entries.iter();
        let mut checks: VecDeque<_> = ahead
            .by_ref()
            .take(CHECKS_AHEAD)
            .map(|entry| self.start_check(entry))
            .collect();
        for entry in &entries {
            let checked = match checks.pop_front().flatten() {
                Some(check) => Some(check.await.map_err(|gone| StateFailed::Broken {
                    reason: format!("the check of an entry did not end: {gone}"),
                })?),
                None => None,
            };
            checks.extend(ahead.next().map(|next| self.start_check(next)));
            replies.push(self.apply_one(entry, checked.as_ref())?);
            give_way().await;
        }
        Ok(replies)
    }

    fn apply_one(
        &self,
        entry: &CommittedEntry,
        checked: Option<&CheckedEntry>,
    ) -> Result<Bytes, StateFailed> {
        let position = frame_position(entry.index, &entry.position);
        let Some(checked) = checked else {
            self.commit(&WriteSet::new(), &position)?;
            self.applied.store(entry.index, Ordering::Release);
            return Ok(Bytes::new());
        };
        let mut applied = self.read(|view| self.machine.apply(view, entry.index, checked))?;
        self.hear(applied.comparison)?;
        self.counters.count(&applied.reply);
        self.note_changes(entry.index, &mut applied.writes)?;
        self.commit(&applied.writes, &position)?;
        self.applied.store(entry.index, Ordering::Release);
        if let Some(witness) = &self.witness {
            let hash = self.read(tongban_machine::state_hash)?;
            witness.applied(self.group, entry.index, hash);
        }
        Ok(Bytes::from(encode(&applied.reply)))
    }

    fn note_changes(&self, index: u64, writes: &mut WriteSet) -> Result<(), StateFailed> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        feed.note(&*self.store, self.group, index, writes)
            .map_err(|e| broken(&e))
    }

    /// Commits changes with the place they bring the state to; what a snapshot that is being written needs
    /// of before is kept for it.
    pub(super) fn commit(&self, writes: &WriteSet, position: &[u8]) -> Result<(), StateFailed> {
        let mut frozen = self.frozen();
        if let Some(before) = frozen.as_mut() {
            for key in writes.keys() {
                if !before.contains_key(key) {
                    let value = self.store.get(self.group, key).map_err(|e| broken(&e))?;
                    before.insert(key.clone(), value);
                }
            }
        }
        self.store
            .commit(self.group, writes, position)
            .map_err(|e| broken(&e))
    }
}
