//! Sealing under a case's key, and wrapping case keys for another node. Arithmetic only; which keys
//! there are is the vault's to know.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use std::convert::Infallible;
use tongban_types::{CaseNumber, NodeId, Sealed, SealedUse, SealingPublicKey};
use zeroize::Zeroizing;

use crate::key_ring::{EXPORT_CONTEXT, PairwiseAead, PairwiseKdf, PairwiseKem};
use crate::seams::Entropy;

/// The key of one case.
pub(crate) type CaseKey = Zeroizing<[u8; 32]>;

/// What the cipher adds to a text.
const TAG_BYTES: usize = 16;

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// Seals a text under a case's key, bound to its use and case.
pub(crate) fn seal(
    key: &CaseKey,
    nonce: [u8; 24],
    usage: SealedUse,
    case: CaseNumber,
    text: &[u8],
) -> Sealed {
    let aad = Sealed::associated_data(usage, case);
    let payload = Payload {
        msg: text,
        aad: &aad,
    };
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("texts are far below the cipher's bound of 256 GiB");
    Sealed {
        usage,
        nonce,
        ciphertext,
    }
}

/// The same size, in the clear: what sealing costs is measured against it.
pub(crate) fn pass_through(nonce: [u8; 24], usage: SealedUse, text: &[u8]) -> Sealed {
    let mut ciphertext = text.to_vec();
    ciphertext.extend_from_slice(&[0; TAG_BYTES]);
    Sealed {
        usage,
        nonce,
        ciphertext,
    }
}

/// Opens a sealed text; `None` if it was altered, or sealed under another key, use or case.
pub(crate) fn open(key: &CaseKey, case: CaseNumber, sealed: &Sealed) -> Option<Vec<u8>> {
    let aad = Sealed::associated_data(sealed.usage, case);
    let payload = Payload {
        msg: &sealed.ciphertext,
        aad: &aad,
    };
    cipher(key)
        .decrypt(&XNonce::from(sealed.nonce), payload)
        .ok()
}

/// Names the two ends of a pairwise key, so that it is good for this direction only.
pub(crate) fn pairwise_info(from: NodeId, to: NodeId) -> Vec<u8> {
    format!("tongban/pairwise/v1\n{from}\n{to}").into_bytes()
}

/// A key set up towards another node by HPKE (RFC 9180, base mode), and its encapsulation.
#[derive(Clone)]
pub(crate) struct PairwiseKey {
    pub(crate) encapped: [u8; 32],
    pub(crate) key: Zeroizing<[u8; 32]>,
}

impl PairwiseKey {
    pub(crate) fn set_up(
        entropy: &impl Entropy,
        from: NodeId,
        to: NodeId,
        recipient: SealingPublicKey,
    ) -> Option<Self> {
        Self::towards(entropy, recipient, &pairwise_info(from, to))
    }

    /// A key only the holder of `recipient` can recover, for what `info` names.
    pub(crate) fn towards(
        entropy: &impl Entropy,
        recipient: SealingPublicKey,
        info: &[u8],
    ) -> Option<Self> {
        let public = <PairwiseKem as Kem>::PublicKey::from_bytes(&recipient.0).ok()?;
        let (encapped, context) = hpke::setup_sender_with_rng::<
            PairwiseAead,
            PairwiseKdf,
            PairwiseKem,
        >(&OpModeS::Base, &public, info, &mut Draw(entropy))
        .ok()?;
        let mut key = Zeroizing::new([0; 32]);
        context.export(EXPORT_CONTEXT, key.as_mut_slice()).ok()?;
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&encapped.to_bytes());
        Some(Self {
            encapped: bytes,
            key,
        })
    }
}

/// Wraps a case key under a pairwise key, bound to the case.
pub(crate) fn wrap(
    pairwise: &[u8; 32],
    nonce: [u8; 24],
    case: CaseNumber,
    key: &CaseKey,
) -> Vec<u8> {
    let aad = format!("tongban/case-key/v1\n{case}");
    cipher(pairwise)
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: key.as_slice(),
                aad: aad.as_bytes(),
            },
        )
        .expect("a key is far below the cipher's bound")
}

/// Unwraps a case key.
pub(crate) fn unwrap(
    pairwise: &[u8; 32],
    nonce: [u8; 24],
    case: CaseNumber,
    wrapped: &[u8],
) -> Option<CaseKey> {
    let aad = format!("tongban/case-key/v1\n{case}");
    let payload = Payload {
        msg: wrapped,
        aad: aad.as_bytes(),
    };
    let key = Zeroizing::new(
        cipher(pairwise)
            .decrypt(&XNonce::from(nonce), payload)
            .ok()?,
    );
    Some(Zeroizing::new(key.as_slice().try_into().ok()?))
}

/// Entropy in the shape HPKE asks for.
struct Draw<'a, E>(&'a E);

impl<E: Entropy> rand_core::TryRng for Draw<'_, E> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl<E: Entropy> rand_core::TryCryptoRng for Draw<'_, E> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::Counting;
    use crate::key_ring::{KeyRing, Seeds};
    use crate::seams::Signer;

    fn case() -> CaseNumber {
        let day = tongban_types::CivilDay::from_ymd(2026, 3, 2).unwrap();
        CaseNumber::new("350100".parse().unwrap(), day, 1, 7).unwrap()
    }

    #[test]
    fn a_sealed_text_opens_only_under_its_key_use_and_case() {
        let key = Zeroizing::new([7; 32]);
        let sealed = seal(&key, [1; 24], SealedUse::Form, case(), b"text");
        assert_eq!(open(&key, case(), &sealed).unwrap(), b"text");
        let clear = pass_through([1; 24], SealedUse::Form, b"text");
        assert_eq!(clear.ciphertext.len(), sealed.ciphertext.len());
        assert_eq!(open(&key, case(), &clear), None);
        let other_use = Sealed {
            usage: SealedUse::Reason,
            ..sealed.clone()
        };
        assert_eq!(open(&key, case(), &other_use), None);
        assert_eq!(open(&Zeroizing::new([8; 32]), case(), &sealed), None);
        let mut altered = sealed;
        altered.ciphertext[0] ^= 1;
        assert_eq!(open(&key, case(), &altered), None);
    }

    #[test]
    fn a_case_key_reaches_the_node_it_was_wrapped_for_and_no_other() {
        let entropy = Counting::default();
        let ring = |seed: u8| KeyRing::new(&Seeds::new(), &Zeroizing::new([seed; 32]));
        let (weinan, dingxi) = (ring(1), ring(2));
        let from: NodeId = "350100-01".parse().unwrap();
        let to: NodeId = "610500-01".parse().unwrap();
        let pairwise = PairwiseKey::set_up(&entropy, from, to, weinan.sealing_public()).unwrap();
        let wrapped = wrap(&pairwise.key, [3; 24], case(), &Zeroizing::new([9; 32]));
        let info = pairwise_info(from, to);
        let theirs = weinan.open_pairwise(&pairwise.encapped, &info).unwrap();
        assert_eq!(
            *unwrap(&theirs, [3; 24], case(), &wrapped).unwrap(),
            [9; 32]
        );
        let strangers = dingxi.open_pairwise(&pairwise.encapped, &info).unwrap();
        assert!(unwrap(&strangers, [3; 24], case(), &wrapped).is_none());
        let turned = weinan
            .open_pairwise(&pairwise.encapped, &pairwise_info(to, from))
            .unwrap();
        assert!(unwrap(&turned, [3; 24], case(), &wrapped).is_none());
    }
}
