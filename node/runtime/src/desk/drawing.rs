//! What is drawn for an application (number, time, salt, nonce, key), kept while it is proposed before
//! anything was acknowledged, and forgotten once the group has it or never will.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use openraft_rt::AsyncRuntime;
use tongban_machine::{Refusal, load_case};
use tongban_types::{CaseNumber, CommandId, DAY_MS, GroupId, RequestTag, decode, encode};

use super::Desk;
use super::record::Drawn;
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

/// When drawn records were last looked through for those that nobody came back for.
pub(super) type LastSweep<P> = Option<<<P as Platform>::Runtime as AsyncRuntime>::Instant>;

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
        let case = self.numbers.next(at.china_day()).await?;
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
            && self.is_here(case)
        {
            replicated.pop_front();
            writes.push(forget(id));
        }
        writes
    }

    /// Forgets with a write of its own what goes with no other, and now and then looks for what was
    /// drawn for requests that nobody repeated.
    pub(super) async fn forget_drawn(&self) {
        let mut writes = self.forgettable();
        if writes.is_empty() && self.is_time_to_sweep() {
            writes = self.sweep().await;
        }
        if !writes.is_empty() {
            // A failure is kept; what is not forgotten does no harm.
            let _ = self.write(writes).await;
        }
    }

    fn is_time_to_sweep(&self) -> bool {
        let now = instant::<P::Runtime>();
        let mut last = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| now - last >= SWEEP_EVERY);
        if is_time {
            *last = Some(now);
        }
        is_time
    }

    /// The writes that forget drawn records without a client. The group is asked first how far it is:
    /// an order of a day ago that is not in its log by then never will be.
    async fn sweep(&self) -> Vec<LocalWrite> {
        let old = self.core.now().plus_ms(-KEPT_MS);
        let found = self.core.local.scan(LocalTable::Proposed, &[], SWEPT_MAX);
        let stale: Vec<(Vec<u8>, CaseNumber)> = found
            .into_iter()
            .filter_map(|(key, value)| Some((key, decode::<Drawn>(&value).ok()?)))
            .filter(|(_, drawn)| drawn.at < old)
            .map(|(key, drawn)| (key, drawn.case))
            .take(FORGOTTEN_MAX)
            .collect();
        if stale.is_empty() || self.core.catch_up_own().await.is_err() {
            return Vec::new();
        }
        stale
            .into_iter()
            .flat_map(|(key, case)| {
                let never_came = !self.is_here(case);
                let forget = LocalWrite {
                    table: LocalTable::Proposed,
                    key,
                    value: None,
                };
                std::iter::once(forget).chain(never_came.then(|| crate::vault::forget(case)))
            })
            .collect()
    }

    fn is_here(&self, case: CaseNumber) -> bool {
        let own = self.core.group(GroupId(self.core.city()));
        let shown = own.map(|own| own.replica.read(|view| load_case(view, case).is_some()));
        matches!(shown, Some(Ok(true)))
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
