//! Case keys of the cases this city is a party of: made here for what is collected here, given by the
//! other party or asked of it for what came from there. In the node's own records, in no log and no
//! snapshot. A key that comes from elsewhere is kept once it opens the case's sealed form; until the
//! form is here it is a gift, held in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tongban_trust::Registry;
use tongban_types::{CaseNumber, Hash, NodeId, RequestTag, Sealed, SealedUse, sha256_parts};
use zeroize::Zeroizing;

use crate::core::Forms;
use crate::gifts::Gifts;
use crate::pairwise::PairwiseKeys;
use crate::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};
use crate::sealing::{self, CaseKey};
use crate::seams::{Entropy, Platform, Signer, WallClock};
use crate::wire::WrappedKeys;

/// The record the pseudonym key stands under; no case number is so short.
const PSEUDONYM: &[u8] = b"pseudonym";

/// Keys, and what is done with them.
pub(crate) struct Vault<P: Platform> {
    me: NodeId,
    local: Arc<dyn LocalLog>,
    entropy: Arc<P::Entropy>,
    clock: Arc<P::Clock>,
    signer: Arc<P::Signer>,
    pairwise: Mutex<PairwiseKeys>,
    gifts: Mutex<Gifts>,
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
        Ok(Self {
            me,
            local,
            entropy,
            clock,
            signer,
            pairwise: Mutex::default(),
            gifts: Mutex::default(),
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

    /// The key of a case, if it is here, be it as a gift only.
    pub(crate) fn key(&self, case: CaseNumber) -> Option<CaseKey> {
        self.kept_key(case).or_else(|| self.gift(case))
    }

    /// Whether the key of a case is kept durably.
    pub(crate) fn keeps(&self, case: CaseNumber) -> bool {
        self.kept_key(case).is_some()
    }

    fn kept_key(&self, case: CaseNumber) -> Option<CaseKey> {
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
        let recipient = registry.node(to)?.sealing;
        let now = self.clock.now().unix_ms();
        let pairwise = self
            .pairwise
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .towards(&*self.entropy, now, self.me, to, recipient)?;
        let keys = cases
            .iter()
            .filter_map(|case| {
                let nonce = self.entropy.array();
                let key = self.kept_key(*case)?;
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

    /// Unwraps keys another node gave; `None` if there are some and none of them opens: they were
    /// wrapped to another key than ours, or are no keys.
    pub(crate) fn unwrap(
        &self,
        from: NodeId,
        wrapped: &WrappedKeys,
    ) -> Option<Vec<(CaseNumber, CaseKey)>> {
        if wrapped.keys.is_empty() {
            return Some(Vec::new());
        }
        let info = sealing::pairwise_info(from, self.me);
        let pairwise = self.signer.open_pairwise(&wrapped.encapped, &info)?;
        let pairwise = Zeroizing::new(pairwise);
        let keys: Vec<_> = wrapped
            .keys
            .iter()
            .filter_map(|(case, nonce, bytes)| {
                Some((*case, sealing::unwrap(&pairwise, *nonce, *case, bytes)?))
            })
            .collect();
        (!keys.is_empty()).then_some(keys)
    }

    /// Keeps keys that open their cases, durably. A key that is kept already stays: what was sealed
    /// under it must open.
    pub(crate) async fn take_in(
        &self,
        proven: Vec<(CaseNumber, CaseKey)>,
    ) -> Result<usize, LogFailed> {
        let writes: Vec<LocalWrite> = proven
            .iter()
            .filter(|(case, _)| !self.keeps(*case))
            .map(|(case, key)| keep(*case, key))
            .collect();
        let taken = writes.len();
        if taken > 0 {
            self.local.write(writes).await?;
        }
        for (case, _) in proven {
            self.forget_gift(case);
        }
        Ok(taken)
    }

    /// Holds a key its city gave for a case that has not come yet.
    pub(crate) fn hold_gift(&self, case: CaseNumber, key: CaseKey) {
        self.gifts().hold(case, key);
    }

    /// The gift held for a case.
    pub(crate) fn gift(&self, case: CaseNumber) -> Option<CaseKey> {
        self.gifts().of(case)
    }

    /// Lets a gift go: it is kept now, or does not open its case.
    pub(crate) fn forget_gift(&self, case: CaseNumber) {
        self.gifts().forget(case);
    }

    fn gifts(&self) -> MutexGuard<'_, Gifts> {
        self.gifts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a key is a case's: it opens the sealed form.
pub(crate) fn is_key_of(key: &CaseKey, case: CaseNumber, form: &Sealed) -> bool {
    sealing::open(key, case, form).is_some()
}

/// The write that forgets the key of a case that never came to be.
pub(crate) fn forget(case: CaseNumber) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Vault,
        key: case.to_string().into_bytes(),
        value: None,
    }
}

fn keep(case: CaseNumber, key: &CaseKey) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Vault,
        key: case.to_string().into_bytes(),
        value: Some(key.to_vec()),
    }
}
