//! The cipher of a backup: one key a backup, set up by HPKE towards the recovery key, and for each chunk a
//! nonce that says which chunk of which part it is and whether the part ends with it. So no chunk can be
//! left out, put elsewhere or taken from another backup.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use tongban_types::{Hash, SealingPublicKey};
use zeroize::Zeroizing;

use crate::key_ring::{KeyRing, Seeds};
use crate::sealing::PairwiseKey;
use crate::seams::{Entropy, Signer as _};

/// Names what is sealed, so that it opens as nothing else.
const INFO: &[u8] = b"tongban/backup/v1";

/// The public half of a recovery key, to seal backups to.
pub fn recovery_public(seed: &Zeroizing<[u8; 32]>) -> SealingPublicKey {
    KeyRing::new(&Seeds::new(), seed).sealing_public()
}

/// Where a chunk stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkPlace {
    pub(super) part: u32,
    pub(super) chunk: u32,
    pub(super) is_last: bool,
}

impl ChunkPlace {
    /// Unique within a backup, whose key seals nothing else.
    fn nonce(self) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..4].copy_from_slice(&self.part.to_be_bytes());
        nonce[4..8].copy_from_slice(&self.chunk.to_be_bytes());
        nonce[8] = u8::from(self.is_last);
        XNonce::from(nonce)
    }
}

/// Seals and opens the chunks of one backup.
pub(super) struct BackupCipher {
    key: Zeroizing<[u8; 32]>,
    head: Hash,
}

impl BackupCipher {
    /// A fresh key towards a recovery key, and its encapsulation; `None` if that is no key.
    pub(super) fn set_up(
        entropy: &impl Entropy,
        to: SealingPublicKey,
    ) -> Option<(Zeroizing<[u8; 32]>, [u8; 32])> {
        let pairwise = PairwiseKey::towards(entropy, to, INFO)?;
        Some((pairwise.key, pairwise.encapped))
    }

    /// The key again, by the private half of the recovery key.
    pub(super) fn recover(
        seed: &Zeroizing<[u8; 32]>,
        encapped: &[u8; 32],
    ) -> Option<Zeroizing<[u8; 32]>> {
        let ring = KeyRing::new(&Seeds::new(), seed);
        ring.open_pairwise(encapped, INFO).map(Zeroizing::new)
    }

    /// For the backup whose encoded head has this hash.
    pub(super) const fn new(key: Zeroizing<[u8; 32]>, head: Hash) -> Self {
        Self { key, head }
    }

    pub(super) fn seal(&self, place: ChunkPlace, text: &[u8]) -> Vec<u8> {
        let payload = Payload {
            msg: text,
            aad: &self.head.0,
        };
        XChaCha20Poly1305::new(&Key::from(*self.key))
            .encrypt(&place.nonce(), payload)
            .expect("a chunk is far below the cipher's bound of 256 GiB")
    }

    pub(super) fn open(&self, place: ChunkPlace, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload {
            msg: sealed,
            aad: &self.head.0,
        };
        let text = XChaCha20Poly1305::new(&Key::from(*self.key)).decrypt(&place.nonce(), payload);
        text.ok().map(Zeroizing::new)
    }
}
