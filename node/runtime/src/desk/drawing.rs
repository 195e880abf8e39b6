//! What is drawn for an application (number, time, salt, nonce, key), kept while it is proposed before
//! anything was acknowledged, and forgotten once the group has it or never will.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{MutexGuard, PoisonError};

use tongban_machine::{Refusal, has_case};
use tongban_types::{CaseNumber, CommandId, DAY_MS, Hash, RequestTag, decode, encode};

use super::record::Drawn;
use super::{Desk, RuntimeInstant};
use crate::core::instant;
use crate::handle::NodeError;
use crate::ports::{LocalTable, LocalWrite};
use crate::sealing::CaseKey;
use crate::seams::{Entropy, Platform};

/// Drawn records forgotten with one write: no write grows large.
const FORGOTTEN_MAX: usize = 256;

/// Replicated applications whose drawn record is to go: beyond it, on a replica that lags for long,
/// the oldest are left to the sweep.
const REPLICATED_MAX: usize = 65_536;

/// Drawn records looked through in one sweep: at most those of some seconds under the highest load are
/// young.
const SWEPT_MAX: usize = 65_536;

/// A drawn record older than this is nobody's: clients repeat a request for a day at most, as long as
/// the group remembers its id.
const KEPT_MS: i64 = DAY_MS;

/// When drawn records were last looked through for those that nobody came back for, and which were
/// there then: by the runtime's clock those are an hour old, whatever the civil clock says.
pub(super) struct Sweeps<P: Platform> {
    last: RuntimeInstant<P>,
    seen: BTreeSet<Vec<u8>>,
}

impl<P: Platform> Sweeps<P> {
    pub(super) fn begin() -> Self {
        Self {
            last: instant::<P::Runtime>(),
            seen: BTreeSet::new(),
        }
    }
}

/// How often they are looked through: what is found is a day old.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_hours(1);

impl<P: Platform> Desk<P> {
    /// Number, time, salt, nonce and key of an application: those drawn before a crash if it was
    /// proposed then, else new ones, with the writes that keep them.
    pub(super) async fn draw(
        &self,
        id: CommandId,
        request: RequestTag,
    ) -> Result<(Drawn, CaseKey, Vec<LocalWrite>), NodeError> {
        let before = self.core.local.get(LocalTable::Proposed, &id.0.0);
        if let Some(before) = before.and_then(|bytes| decode::<Drawn>(&bytes).ok()) {
            if before.request != request {
                return Err(Refusal::IdReused.into());
            }
            let key = self.vault.key(before.case);
            let key = key.ok_or(NodeError::NoKey(before.case))?;
            return Ok((before, key, Vec::new()));
        }
        let at = self.core.now();
        let mut case = self.numbers.next(at.china_day()).await?;
        // Where records older than the group's came back, numbers come again that have their case. A
        // day has a million, and none is looked at twice.
        while self.vault.keeps(case) || self.is_here(case).unwrap_or(false) {
            tracing::warn!(%case, "a number was given before; the next one is taken");
            case = self.numbers.next(at.china_day()).await?;
        }
        let (key, keep_key) = self.vault.draw(case);
        let drawn = Drawn {
            case,
            at,
            salt: self.core.entropy.array(),
            nonce: self.core.entropy.array(),
            request,
        };
        let keep_drawn = LocalWrite {
            table: LocalTable::Proposed,
            key: id.0.0.to_vec(),
            value: Some(encode(&drawn)),
        };
        Ok((drawn, key, vec![keep_key, keep_drawn]))
    }

    /// The case drawn for an order, once the group shows it.
    pub(super) fn drawn_case_of(&self, id: CommandId) -> Option<CaseNumber> {
        let drawn = self.core.local.get(LocalTable::Proposed, &id.0.0)?;
        let case = decode::<Drawn>(&drawn).ok()?.case;
        self.is_here(case).unwrap_or(false).then_some(case)
    }

    /// Notes that the group has an application, so that what was drawn for it goes.
    pub(super) fn note_replicated(&self, id: CommandId, case: CaseNumber) {
        let mut replicated = self.replicated();
        if replicated.len() >= REPLICATED_MAX {
            replicated.pop_front();
        }
        replicated.push_back((id, case));
    }

    /// The writes that forget what was drawn for applications this node shows: a repeat of one that it
    /// does not show yet must still be the same command.
    pub(super) fn forgettable(&self) -> Vec<LocalWrite> {
        let mut replicated = self.replicated();
        let mut writes = Vec::new();
        while let Some((id, case)) = replicated.front().copied()
            && writes.len() < FORGOTTEN_MAX
            && self.is_here(case).unwrap_or(false)
        {
            replicated.pop_front();
            writes.push(forget(id));
        }
        writes
    }

    /// Forgets with a write of its own what goes with no other, and now and then looks for what was
    /// drawn for requests that nobody repeated.
    pub(super) async fn forget_drawn(&self) {
        let writes = self.forgettable();
        if !writes.is_empty() {
            // A failure is kept; what is not forgotten does no harm.
            let _ = self.write(writes).await;
        }
        if self.is_time_to_sweep() {
            self.sweep().await;
        }
    }

    fn is_time_to_sweep(&self) -> bool {
        let now = instant::<P::Runtime>();
        let mut sweeps = self.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = now - sweeps.last >= SWEEP_EVERY;
        if is_time {
            sweeps.last = now;
        }
        is_time
    }

    /// Forgets drawn records without a client. The group is asked first how far it is: an order of a
    /// day ago that is not in its log by then never will be.
    async fn sweep(&self) {
        let stale = self.stale();
        if stale.is_empty() || self.core.catch_up_own().await.is_err() {
            return;
        }
        for piece in stale.chunks(FORGOTTEN_MAX) {
            // Held until the write is durable: a client that comes back now waits for it.
            let (mut held, mut writes) = (Vec::new(), Vec::new());
            for (id, case) in piece.iter().copied() {
                let Ok(alone) = self.begin(id) else { continue };
                held.push(alone);
                let is_at_desk = self.record_of(id).is_some() || self.waiting_case(case).is_some();
                let is_kept = self.is_here(case).map(|is_here| is_here || is_at_desk);
                let Ok(forgotten) = forgetting(id, case, is_kept) else {
                    return;
                };
                writes.extend(forgotten);
            }
            if self.write(writes).await.is_err() {
                return;
            }
        }
    }

    /// Drawn records a day old by the civil clock and seen by the last sweep too.
    fn stale(&self) -> Vec<(CommandId, CaseNumber)> {
        let old = self.core.now().plus_ms(-KEPT_MS);
        let found = self.core.local.scan(LocalTable::Proposed, &[], SWEPT_MAX);
        let mut sweeps = self.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut sweeps.seen);
        sweeps.seen = found.iter().map(|(key, _)| key.clone()).collect();
        let seen_twice = found.into_iter().filter(|(key, _)| before.contains(key));
        let drawn = seen_twice.filter_map(|(key, value)| {
            let id = CommandId(Hash(key.try_into().ok()?));
            Some((id, decode::<Drawn>(&value).ok()?))
        });
        drawn
            .filter(|(_, drawn)| drawn.at < old)
            .map(|(id, drawn)| (id, drawn.case))
            .collect()
    }

    /// Whether this node's own replica shows a case; an error where that cannot be seen.
    fn is_here(&self, case: CaseNumber) -> Result<bool, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        Ok(own.replica.read(|view| has_case(view, case))?)
    }

    fn replicated(&self) -> MutexGuard<'_, VecDeque<(CommandId, CaseNumber)>> {
        self.replicated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn forget(id: CommandId) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Proposed,
        key: id.0.0.to_vec(),
        value: None,
    }
}

/// The writes that forget what was drawn for an application: its key too, unless desk or group have the
/// case. None where that cannot be seen: it may be there, and its key is the only one.
fn forgetting(
    id: CommandId,
    case: CaseNumber,
    is_kept: Result<bool, NodeError>,
) -> Result<Vec<LocalWrite>, NodeError> {
    let mut writes = vec![forget(id)];
    if !is_kept? {
        writes.push(crate::vault::forget(case));
    }
    Ok(writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_forgotten_only_where_it_is_seen_that_nobody_has_its_case() {
        let id = CommandId::derive(b"drawing", b"1");
        let case: CaseNumber = "3501002026030201000005M".parse().unwrap();
        let unseen = NodeError::NoQuorum;
        assert_eq!(forgetting(id, case, Err(unseen.clone())), Err(unseen));
        assert_eq!(forgetting(id, case, Ok(true)), Ok(vec![forget(id)]));
        let with_key = vec![forget(id), crate::vault::forget(case)];
        assert_eq!(forgetting(id, case, Ok(false)), Ok(with_key));
    }
}
