//! Ed25519 as this federation uses it: one strict profile for checking, raw signatures that name
//! their purpose, and the rule by which a public key is admitted to the registry.

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signer as _, VerifyingKey};
use tongban_types::{PublicKey, Purpose, SealingPublicKey, Signature, Signed};

use crate::error::TrustError;

/// A private Ed25519 key. Wiped when dropped, never shown.
pub struct SigningKey {
    inner: ed25519_dalek::SigningKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(of {})", self.public())
    }
}

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5). The caller wipes its own copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self {
            inner: ed25519_dalek::SigningKey::from_bytes(seed),
        }
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.inner.verifying_key().to_bytes())
    }

    /// Signs content for a purpose: the signature covers `tongban/<purpose>/v1\n` + content.
    pub fn sign(&self, purpose: Purpose, bytes: Vec<u8>) -> Signed {
        let signature = self.sign_raw(&purpose.message(&bytes));
        Signed {
            signer: self.public(),
            signature,
            bytes,
        }
    }

    /// Signs exactly these bytes. For the public formats only (registry, documents), whose first
    /// bytes name what they are.
    pub fn sign_raw(&self, message: &[u8]) -> Signature {
        Signature(self.inner.sign(message).to_bytes())
    }
}

/// Checks a signature by the strict profile: S below the group order, R and the key canonical and
/// not of small order, no cofactor. Every verifier of the federation answers the same.
pub fn verify_strict(
    public: PublicKey,
    message: &[u8],
    signature: Signature,
) -> Result<(), TrustError> {
    let key = VerifyingKey::from_bytes(&public.0)
        .map_err(|_| TrustError::KeyNotAPoint { key: public })?;
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
        .map_err(|_| TrustError::SignatureInvalid { signer: public })
}

/// Checks the signature of an envelope read where `purpose` is expected. Whether the signer may
/// speak there is for the registry to say.
pub fn verify_signed(purpose: Purpose, signed: &Signed) -> Result<(), TrustError> {
    verify_strict(
        signed.signer,
        &purpose.message(&signed.bytes),
        signed.signature,
    )
}

/// Checks that a public key may be enrolled: the canonical encoding of a point that is neither of
/// small order nor has a torsion part. For such keys all known verifiers agree on every signature.
pub fn admit_key(key: PublicKey) -> Result<(), TrustError> {
    let compressed = CompressedEdwardsY(key.0);
    let point = compressed
        .decompress()
        .ok_or(TrustError::KeyNotAPoint { key })?;
    if point.compress() != compressed {
        return Err(TrustError::KeyNotCanonical { key });
    }
    if point.is_small_order() {
        return Err(TrustError::KeyWeak { key });
    }
    if !point.is_torsion_free() {
        return Err(TrustError::KeyMixedOrder { key });
    }
    Ok(())
}

/// Checks that an X25519 key may be enrolled: the canonical encoding of a u-coordinate with which a
/// shared secret is not zero (RFC 7748 §6.1).
pub fn admit_sealing_key(key: SealingPublicKey) -> Result<(), TrustError> {
    let bytes = key.0;
    let at_least_p =
        bytes[31] == 0x7f && bytes[1..31].iter().all(|b| *b == 0xff) && bytes[0] >= 0xed;
    if bytes[31] & 0x80 != 0 || at_least_p {
        return Err(TrustError::SealingKeyRefused { key });
    }
    // Any clamped scalar is a multiple of eight, which takes every point of small order to zero.
    if MontgomeryPoint(bytes).mul_clamped([1; 32]).0 == [0; 32] {
        return Err(TrustError::SealingKeyRefused { key });
    }
    Ok(())
}
