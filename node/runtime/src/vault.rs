//! Case keys of the cases this city is a party of: made here for what is collected here, asked of the
//! other party for what came from there. In the node's own records, in no log and no snapshot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tongban_trust::Registry;
use tongban_types::{CaseNumber, Hash, NodeId, RequestTag, Sealed, SealedUse, sha256_parts};
use zeroize::Zeroizing;

use crate::core::Forms;
use crate::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};
use crate::sealing::{self, CaseKey, PairwiseKey};
use crate::seams::{Entropy, Platform, Signer, WallClock};
use crate::wire::WrappedKeys;

/// A pairwise key is set up anew once an hour, so that one stolen opens an hour's keys.
const PAIRWISE_MS: i64 = 3_600_000;

/// Pairwise keys kept: one a node of a large federation's neighbours; beyond it the oldest goes.
const PAIRWISE_MAX: usize = 1_024;

/// The record the pseudonym key stands under; no case number is so short.
const PSEUDONYM: &[u8] = b"pseudonym";

/// Keys, and what is done with them.
pub(crate) struct Vault<P: Platform> {
    me: NodeId,
    local: Arc<dyn LocalLog>,
    entropy: Arc<P::Entropy>,
    clock: Arc<P::Clock>,
    signer: Arc<P::Signer>,
    pairwise: Mutex<BTreeMap<NodeId, (i64, PairwiseKey)>>,
    pseudonym: Zeroizing<[u8; 32]>,
    forms: Forms,
}

impl<P: Platform> Vault<P> {
    /// Opens the vault; the first time, draws the key of pseudonyms.
    pub(crate) async fn open(
        me: NodeId,
        local: Arc<dyn LocalLog>,
        entropy: Arc<P::Entropy>,
        clock: Arc<P::Clock>,
        signer: Arc<P::Signer>,
        forms: Forms,
    ) -> Result<Self, LogFailed> {
        let stored = local.get(LocalTable::Vault, PSEUDONYM);
        let pseudonym = if let Some(key) = stored.and_then(|bytes| bytes.try_into().ok()) {
            Zeroizing::new(key)
        } else {
            let key: [u8; 32] = entropy.array();
            let write = LocalWrite {
                table: LocalTable::Vault,
                key: PSEUDONYM.to_vec(),
                value: Some(key.to_vec()),
            };
            local.write(vec![write]).await?;
            Zeroizing::new(key)
        };
        let pairwise = Mutex::new(BTreeMap::new());
        Ok(Self {
            me,
            local,
            entropy,
            clock,
            signer,
            pairwise,
            pseudonym,
            forms,
        })
    }

    /// A fresh key, and the write that keeps it: nothing may be sealed under it for others before
    /// that write is durable.
    pub(crate) fn draw(&self, case: CaseNumber) -> (CaseKey, LocalWrite) {
        let key = Zeroizing::new(self.entropy.array());
        let write = keep(case, &key);
        (key, write)
    }

    /// The write that forgets the key of a case that never came to be.
    pub(crate) fn forget(&self, case: CaseNumber) -> LocalWrite {
        LocalWrite {
            table: LocalTable::Vault,
            key: case.to_string().into_bytes(),
            value: None,
        }
    }

    /// The key of a case, if it is here.
    pub(crate) fn key(&self, case: CaseNumber) -> Option<CaseKey> {
        let stored = self
            .local
            .get(LocalTable::Vault, case.to_string().as_bytes())?;
        Some(Zeroizing::new(stored.as_slice().try_into().ok()?))
    }

    /// How many case keys are here; the key of pseudonyms stands beside them.
    pub(crate) fn count(&self) -> usize {
        self.local.count(LocalTable::Vault).saturating_sub(1)
    }

    /// Seals the form of a new case under its key.
    pub(crate) fn seal_form(
        &self,
        key: &CaseKey,
        nonce: [u8; 24],
        case: CaseNumber,
        salted: &[u8],
    ) -> Sealed {
        match self.forms {
            Forms::Sealed => sealing::seal(key, nonce, SealedUse::Form, case, salted),
            Forms::ClearForMeasurement => sealing::pass_through(nonce, SealedUse::Form, salted),
        }
    }

    /// Seals a text under a case's key.
    pub(crate) fn seal(
        &self,
        key: &CaseKey,
        usage: SealedUse,
        case: CaseNumber,
        text: &[u8],
    ) -> Sealed {
        sealing::seal(key, self.entropy.array(), usage, case, text)
    }

    /// Opens a sealed text, if its key is here and it was not altered.
    pub(crate) fn open_sealed(&self, case: CaseNumber, sealed: &Sealed) -> Option<Vec<u8>> {
        sealing::open(&self.key(case)?, case, sealed)
    }

    /// The pseudonym of a person: HMAC-SHA-256 under this city's key.
    pub(crate) fn pseudonym(&self, subject: &str) -> Hash {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.pseudonym.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(subject.as_bytes());
        Hash(mac.finalize().into_bytes().into())
    }

    /// What is asked under an id, for comparing it with a repeat: HMAC-SHA-256 under this city's key,
    /// for it may hold a person's words.
    pub(crate) fn request_tag(&self, parts: &[&[u8]]) -> RequestTag {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.pseudonym.as_slice())
            .expect("HMAC takes keys of any length");
        // Pseudonyms are of texts; nothing that is one begins so.
        mac.update(b"tongban/request/v1\0");
        mac.update(&sha256_parts(parts).0);
        RequestTag(Hash(mac.finalize().into_bytes().into()))
    }

    /// Wraps keys for another node; `None` if the registry has no sealing key of it.
    pub(crate) fn wrap_for(
        &self,
        registry: &Registry,
        to: NodeId,
        cases: &[CaseNumber],
    ) -> Option<WrappedKeys> {
        let pairwise = self.pairwise_with(registry, to)?;
        let keys = cases
            .iter()
            .filter_map(|case| {
                let nonce = self.entropy.array();
                let key = self.key(*case)?;
                Some((
                    *case,
                    nonce,
                    sealing::wrap(&pairwise.key, nonce, *case, &key),
                ))
            })
            .collect();
        Some(WrappedKeys {
            encapped: pairwise.encapped,
            keys,
        })
    }

    fn pairwise_with(&self, registry: &Registry, to: NodeId) -> Option<PairwiseKey> {
        let now = self.clock.now().unix_ms();
        let mut kept = self.pairwise.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, pairwise)) = kept.get(&to)
            && (0..PAIRWISE_MS).contains(&(now - since))
        {
            return Some(pairwise.clone());
        }
        let recipient = registry.node(to)?.sealing;
        let fresh = PairwiseKey::set_up(&*self.entropy, self.me, to, recipient)?;
        if kept.len() >= PAIRWISE_MAX
            && let Some(oldest) = kept.iter().min_by_key(|(_, (since, _))| *since)
        {
            let oldest = *oldest.0;
            kept.remove(&oldest);
        }
        kept.insert(to, (now, fresh.clone()));
        Some(fresh)
    }

    /// Unwraps keys another node gave and keeps those that are new, durably. A key that is here
    /// already stays: what was sealed under it must open.
    pub(crate) async fn take_in(
        &self,
        from: NodeId,
        wrapped: &WrappedKeys,
    ) -> Result<usize, LogFailed> {
        let info = sealing::pairwise_info(from, self.me);
        let Some(pairwise) = self.signer.open_pairwise(&wrapped.encapped, &info) else {
            return Ok(0);
        };
        let pairwise = Zeroizing::new(pairwise);
        let writes: Vec<LocalWrite> = wrapped
            .keys
            .iter()
            .filter(|(case, _, _)| self.key(*case).is_none())
            .filter_map(|(case, nonce, bytes)| {
                let key = sealing::unwrap(&pairwise, *nonce, *case, bytes)?;
                Some(keep(*case, &key))
            })
            .collect();
        let taken = writes.len();
        if taken > 0 {
            self.local.write(writes).await?;
        }
        Ok(taken)
    }
}

fn keep(case: CaseNumber, key: &CaseKey) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Vault,
        key: case.to_string().into_bytes(),
        value: Some(key.to_vec()),
    }
}
