//! What nobody names any more is let go: expired uploads, files of orders that came to nothing, files of
//! erased cases. A bounded number is looked at in each sweep, and the next goes on behind them.

use std::sync::{Arc, MutexGuard, PoisonError};

use tongban_machine::{Reply, recall_command};
use tongban_types::{BlobHash, CaseNumber, CommandId};

use super::Files;
use super::limits::{REFERENCES_MAX, SWEEP_EVERY, SWEPT_MAX};
use super::references::PinPlace;
use crate::blob_store::BlobError;
use crate::handle::NodeError;
use crate::ports::LogFailed;
use crate::seams::Platform;

/// Where the last sweep stopped.
#[derive(Default)]
pub(super) struct Swept {
    blob: Option<BlobHash>,
    pin: Option<PinPlace>,
}

impl<P: Platform> Files<P> {
    /// Sweeps now and then until the node stops.
    pub(crate) async fn run(self: Arc<Self>) {
        while !self.core.is_stopping() {
            self.core.rest(SWEEP_EVERY).await;
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "files that nobody names stay for now");
            }
        }
    }

    pub(crate) async fn sweep(&self) -> Result<(), BlobError> {
        let now = self.core.now();
        for upload in self.store.uploads() {
            if upload.expires <= now {
                self.store.forget_upload(upload.id).await?;
            }
        }
        self.settle_pins().await.map_err(log_failed)?;
        let after = self.swept().blob;
        let found = self.store.list(after, SWEPT_MAX).await?;
        let next = found.last().copied().filter(|_| found.len() == SWEPT_MAX);
        for blob in found {
            self.let_go_unless_named(blob).await?;
        }
        self.swept().blob = next;
        Ok(())
    }

    fn swept(&self) -> MutexGuard<'_, Swept> {
        self.swept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Orders whose end nobody waited for: their files go to the case they became, or were about.
    async fn settle_pins(&self) -> Result<(), LogFailed> {
        let now = self.core.now();
        let after = self.swept().pin;
        let pins = self.references.pins(after, SWEPT_MAX);
        let last = pins.last().map(|pin| (pin.id, pin.blob));
        let next = last.filter(|_| pins.len() == SWEPT_MAX);
        for pin in pins {
            let Ok(became) = self.case_of(pin.id) else {
                // What cannot be read may be there: the next round sees.
                continue;
            };
            if became.is_some() || pin.until <= now {
                // Whether a case took its order is not known for ever: it rather keeps a file too many.
                let case = became.or(pin.case);
                self.references.unpin(pin.id, case, &[pin.blob]).await?;
            }
        }
        self.swept().pin = next;
        Ok(())
    }

    /// The case an order became, as far as desk and group know; an error where that cannot be seen.
    pub(super) fn case_of(&self, id: CommandId) -> Result<Option<CaseNumber>, NodeError> {
        if let Some(case) = self.desk.case_of(id) {
            return Ok(Some(case));
        }
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let known = own.replica.read(|view| recall_command(view, id))?;
        Ok(match known {
            Some((_, Reply::Case { number, .. })) => Some(number),
            _ => None,
        })
    }

    async fn let_go_unless_named(&self, blob: BlobHash) -> Result<(), BlobError> {
        let _naming = self.naming.lock().await;
        if self.references.is_pinned(blob) || self.fetches().contains_key(&blob) {
            return Ok(());
        }
        let cases = self.references.cases_of(blob, REFERENCES_MAX);
        for case in &cases {
            // Erasing a case is deleting its keys.
            if self.vault.key(*case).is_some() {
                return Ok(());
            }
            let dropped = self.references.drop_case(*case, blob).await;
            dropped.map_err(log_failed)?;
        }
        if cases.len() == REFERENCES_MAX {
            // There may be more; the next round sees.
            return Ok(());
        }
        if self.store.remove(blob).await? {
            tracing::info!("a file that no case names is let go");
        }
        Ok(())
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands where an error is mapped"
)]
fn log_failed(error: LogFailed) -> BlobError {
    BlobError::Failed(error.to_string())
}
