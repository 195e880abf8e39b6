//! Documents of granted cases: prepared, signed and entered under the city's lease, the owed ones in
//! turn, so that one which has to wait keeps no other waiting.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use thiserror::Error;
use tongban_machine::{
    CaseRecord, DocumentStage, Effect, Reply, effects, form_of, ground, load_case, signing_input_of,
};
use tongban_trust::IssueError;
use tongban_types::{
    CaseNumber, Code, CommandBody, IssueDocument, OnCase, Package, PrepareDocument, SealedUse,
    sha256,
};

use super::{ROUND_MAX, Steward};
use crate::desk::SALT_BYTES;
use crate::document::{self, DocumentFault, Office};
use crate::handle::NodeError;
use crate::seams::Platform;

/// Cases whose waiting document was told of; beyond it all are told of again.
const TOLD_MAX: usize = 1_024;

/// How far the owed effects were gone through.
#[derive(Default)]
pub(super) struct Owed {
    /// Where the next round begins.
    cursor: Option<CaseNumber>,
    /// Cases of which an operator was told that their document waits.
    told: BTreeSet<CaseNumber>,
}

/// Why an effect is not carried out now.
#[derive(Debug, Error)]
enum Waits {
    /// The document cannot be made as things are: somebody has to do something.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// It is tried again by itself.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl<P: Platform> Steward<P> {
    /// Carries out a round of owed effects; whether none is left.
    pub(super) async fn carry_out_effects(&self) -> bool {
        let Some(own) = self.core.own() else {
            return false;
        };
        let Some(owed) = self.next_owed() else {
            return false;
        };
        if owed.is_empty() {
            return true;
        }
        let Some(lease) = self.hold_lease().await else {
            return false;
        };
        let mut all_done = true;
        for effect in owed {
            let (case, outcome) = match effect {
                Effect::PrepareDocument(case) => (case, self.prepare_document(case, lease).await),
                Effect::IssueDocument(case) => (case, self.issue_document(case, lease).await),
            };
            if let Err(waits) = outcome {
                self.tell(case, &waits);
                all_done = false;
            }
        }
        // A prepared document is to be issued in the next round at once.
        all_done
            && own
                .replica
                .read(|view| effects(view, None, 1).next().is_none())
                .unwrap_or(false)
    }

    /// A round's worth of owed effects, behind those of the last round; from the first again at the end.
    fn next_owed(&self) -> Option<Vec<Effect>> {
        let own = self.core.own()?;
        let mut progress = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        let from = progress.cursor.take();
        let look = |from| {
            own.replica
                .read(|view| effects(view, from, ROUND_MAX).collect::<Vec<_>>())
        };
        let mut owed = look(from).ok()?;
        if owed.is_empty() && from.is_some() {
            owed = look(None).ok()?;
        }
        if owed.len() == ROUND_MAX
            && let Some(Effect::PrepareDocument(last) | Effect::IssueDocument(last)) = owed.pop()
        {
            // The last one is the first of the next round.
            progress.cursor = Some(last);
        }
        Some(owed)
    }

    /// Tells an operator once of each document that waits for something to be done about it.
    fn tell(&self, case: CaseNumber, waits: &Waits) {
        let Waits::Document(fault) = waits else {
            tracing::debug!(%case, error = %waits, "an effect waits");
            return;
        };
        let mut progress = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.told.len() >= TOLD_MAX {
            progress.told.clear();
        }
        if progress.told.insert(case) {
            let code: Code = fault.code();
            tracing::warn!(%case, %code, error = %fault, "a granted case's document waits");
        }
    }

    async fn hold_lease(&self) -> Option<u64> {
        let body = CommandBody::TakeLease(self.core.me);
        match self.order("lease", body).await.ok()?.reply {
            Reply::Lease { number, .. } => Some(number),
            _ => None,
        }
    }

    /// The registry in force in this city's group, and its time.
    fn office(&self) -> Result<Office, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let machine = own.replica.machine();
        let (registry, now) = own
            .replica
            .read(|view| (machine.registry(view), ground(view).time))?;
        let registry = registry.ok_or(NodeError::NoQuorum)?;
        Ok(Office { registry, now })
    }

    fn own_case(&self, case: CaseNumber) -> Result<CaseRecord, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let record = own.replica.read(|view| load_case(view, case))?;
        record.ok_or(NodeError::NoSuchCase(case))
    }

    /// Commits the exact signing input first: signing again after a crash gives the same document.
    async fn prepare_document(&self, case: CaseNumber, lease: u64) -> Result<(), Waits> {
        let record = self.own_case(case)?;
        let key = self.vault.key(case).ok_or(NodeError::NoKey(case))?;
        let form = self.open_form(case)?;
        let input = document::prepare(&self.core, &self.office()?, &record, &form)?;
        let text = input.text();
        let body = CommandBody::PrepareDocument(PrepareDocument {
            on: OnCase {
                case,
                expected: record.version,
            },
            lease,
            signing_input: self
                .vault
                .seal(&key, SealedUse::SigningInput, case, text.as_bytes()),
            input_hash: sha256(text.as_bytes()),
        });
        self.order("prepare-document", body).await?;
        Ok(())
    }

    /// Signs the input that is committed. One that names a key which is not ours, or not any more, is
    /// prepared anew: nobody else may be there to sign it.
    async fn issue_document(&self, case: CaseNumber, lease: u64) -> Result<(), Waits> {
        let record = self.own_case(case)?;
        let DocumentStage::Prepared { input } = record.document else {
            return Ok(());
        };
        let key = self.vault.key(case).ok_or(NodeError::NoKey(case))?;
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let sealed = own
            .replica
            .read(|view| signing_input_of(view, case))
            .map_err(NodeError::from)?;
        let text = sealed
            .and_then(|sealed| self.vault.open_sealed(case, &sealed))
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| sha256(text.as_bytes()) == input)
            .ok_or(NodeError::NoKey(case))?;
        let document = match document::sign(&self.core, &self.office()?, &text) {
            Err(DocumentFault::Issue(IssueError::OtherKey { .. })) => {
                return self.prepare_document(case, lease).await;
            }
            signed => signed?,
        };
        let body = CommandBody::IssueDocument(IssueDocument {
            on: OnCase {
                case,
                expected: record.version,
            },
            lease,
            input_hash: input,
            document_hash: sha256(document.as_bytes()),
            document: self
                .vault
                .seal(&key, SealedUse::Document, case, document.as_bytes()),
        });
        self.order("issue-document", body).await?;
        Ok(())
    }

    fn open_form(&self, case: CaseNumber) -> Result<Vec<u8>, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let sealed = own.replica.read(|view| form_of(view, case))?;
        let salted = sealed
            .and_then(|sealed| self.vault.open_sealed(case, &sealed))
            .ok_or(NodeError::NoKey(case))?;
        let text = salted.get(SALT_BYTES..).unwrap_or_default();
        Ok(Package::of_text(text)
            .map(|package| package.form)
            .unwrap_or_default())
    }
}
