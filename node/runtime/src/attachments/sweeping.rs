//! What nobody names any more is let go: expired uploads, files of orders that came to nothing, files of
//! erased cases. A bounded number is looked at in each sweep, and the next goes on behind them.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use tongban_machine::{Reply, recall_command};
use tongban_types::{BlobHash, CaseNumber, CommandId};

use super::Files;
use super::limits::{REFERENCES_MAX, SWEEP_EVERY, SWEPT_MAX};
use crate::blob_store::BlobError;
use crate::ports::LogFailed;
use crate::seams::Platform;

/// Where the last sweep stopped.
#[derive(Default)]
pub(super) struct Swept(Option<BlobHash>);

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
        let after = self.swept.lock().unwrap_or_else(PoisonError::into_inner).0;
        let found = self.store.list(after, SWEPT_MAX).await?;
        let next = found.last().copied().filter(|_| found.len() == SWEPT_MAX);
        for blob in found {
            self.let_go_unless_named(blob).await?;
        }
        self.swept.lock().unwrap_or_else(PoisonError::into_inner).0 = next;
        Ok(())
    }

    /// Orders whose end nobody waited for: their files go to the case they became.
    async fn settle_pins(&self) -> Result<(), LogFailed> {
        let now = self.core.now();
        for pin in self.references.pins(SWEPT_MAX) {
            let case = self.case_of(pin.id);
            if case.is_some() || pin.until <= now {
                self.references.unpin(pin.id, case, &[pin.blob]).await?;
            }
        }
        Ok(())
    }

    fn case_of(&self, id: CommandId) -> Option<CaseNumber> {
        if let Some(case) = self.desk.case_of(id) {
            return Some(case);
        }
        let own = self.core.own()?;
        let known = own.replica.read(|view| recall_command(view, id)).ok()?;
        match known {
            Some((_, Reply::Case { number, .. })) => Some(number),
            _ => None,
        }
    }

    async fn let_go_unless_named(&self, blob: BlobHash) -> Result<(), BlobError> {
        let _naming = self.naming.lock().await;
        let uploads = self.store.uploads();
        let mut named: BTreeSet<BlobHash> = uploads.iter().filter_map(|it| it.blob).collect();
        named.extend(self.references.pins(SWEPT_MAX).iter().map(|pin| pin.blob));
        if named.contains(&blob) || self.fetches().contains_key(&blob) {
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
