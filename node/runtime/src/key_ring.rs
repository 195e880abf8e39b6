//! A node's private keys held in memory: the `Signer` of the daemon, which reads the seeds from
//! files, and of the simulator, which draws them.

use std::collections::BTreeMap;

use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, Serializable};
use tongban_trust::SigningKey;
use tongban_types::{KeyRole, PublicKey, SealingPublicKey, Signature};
use zeroize::Zeroizing;

use crate::seams::Signer;

/// The AEAD named in the key schedule; only the exporter of the context is used.
pub(crate) type PairwiseAead = hpke::aead::ExportOnlyAead;
pub(crate) type PairwiseKdf = HkdfSha256;
pub(crate) type PairwiseKem = X25519HkdfSha256;

/// What the pairwise key is exported for (RFC 9180 §5.3).
pub(crate) const EXPORT_CONTEXT: &[u8] = b"tongban/case-keys/v1";

/// The seeds of a node's keys, one a role. Wiped when dropped.
pub type Seeds = BTreeMap<KeyRole, Zeroizing<[u8; 32]>>;

/// Private keys in memory.
pub struct KeyRing {
    keys: BTreeMap<KeyRole, SigningKey>,
    sealing: <X25519HkdfSha256 as Kem>::PrivateKey,
    sealing_public: SealingPublicKey,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("roles", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// The keys of the seeds; `sealing` is the input keying material of the X25519 key.
    pub fn new(seeds: &Seeds, sealing: &Zeroizing<[u8; 32]>) -> Self {
        let keys = seeds
            .iter()
            .map(|(role, seed)| (*role, SigningKey::from_seed(seed)))
            .collect();
        let (private, public) = PairwiseKem::derive_keypair(sealing.as_slice());
        let mut sealing_public = [0; 32];
        sealing_public.copy_from_slice(&public.to_bytes());
        Self {
            keys,
            sealing: private,
            sealing_public: SealingPublicKey(sealing_public),
        }
    }
}

impl Signer for KeyRing {
    fn public(&self, role: KeyRole) -> Option<PublicKey> {
        self.keys.get(&role).map(SigningKey::public)
    }

    fn sign(&self, role: KeyRole, message: &[u8]) -> Option<Signature> {
        self.keys.get(&role).map(|key| key.sign_raw(message))
    }

    fn sealing_public(&self) -> SealingPublicKey {
        self.sealing_public
    }

    fn open_pairwise(&self, encapped: &[u8; 32], info: &[u8]) -> Option<[u8; 32]> {
        let encapped = <PairwiseKem as Kem>::EncappedKey::from_bytes(encapped).ok()?;
        let context = hpke::setup_receiver::<PairwiseAead, PairwiseKdf, PairwiseKem>(
            &OpModeR::Base,
            &self.sealing,
            &encapped,
            info,
        )
        .ok()?;
        let mut key = [0; 32];
        context.export(EXPORT_CONTEXT, &mut key).ok()?;
        Some(key)
    }
}
