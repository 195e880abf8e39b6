//! A checked thing has another type: a `Verified<T>` exists only because something here checked it.

use tongban_types::{
    Hash, PublicKey, Purpose, Record, Signature, Signed, decode, leaf_hash, root_from_path,
};

use crate::error::TrustError;
use crate::signing::{verify_signed, verify_strict};

/// A value whose signatures were checked. Made only by the checks of this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
}

impl<T> Verified<T> {
    /// For the checks of this crate, after they have checked.
    pub(crate) fn by_check(value: T) -> Self {
        Self { value }
    }

    /// The value, from here on without the mark.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A record and the key that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributed<T> {
    /// The key that signed.
    pub signer: PublicKey,
    /// What it signed.
    pub record: T,
}

impl<T: Record> Verified<Attributed<T>> {
    /// Checks the signature of an envelope and decodes what it covers.
    pub fn open(purpose: Purpose, signed: &Signed) -> Result<Self, TrustError> {
        verify_signed(purpose, signed)?;
        Self::attribute(signed.signer, &signed.bytes)
    }

    /// Checks a record signed as one leaf of a batch, and decodes it.
    pub fn open_leaf(
        batch: &BatchSignature,
        leaf: &[u8],
        place: &LeafPlace,
    ) -> Result<Self, TrustError> {
        batch.verify_leaf(leaf, place)?;
        Self::attribute(batch.signer, leaf)
    }

    fn attribute(signer: PublicKey, bytes: &[u8]) -> Result<Self, TrustError> {
        let record =
            decode(bytes).map_err(|source| TrustError::SignedRecordMalformed { signer, source })?;
        Ok(Self::by_check(Attributed { signer, record }))
    }
}

/// One signature over the Merkle root of a batch (RFC 6962): the signed content is the 32 bytes of
/// the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSignature {
    /// What the batch is for.
    pub purpose: Purpose,
    /// The key that signed.
    pub signer: PublicKey,
    /// Its signature.
    pub signature: Signature,
}

/// Where a leaf stands in its batch, and the path to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafPlace {
    /// Its index.
    pub index: usize,
    /// Leaves in the batch.
    pub count: usize,
    /// The audit path, lowest first.
    pub path: Vec<Hash>,
}

impl BatchSignature {
    /// Checks that the signer signed a batch which holds `leaf` at that place.
    pub fn verify_leaf(&self, leaf: &[u8], place: &LeafPlace) -> Result<(), TrustError> {
        let root = root_from_path(leaf_hash(leaf), place.index, place.count, &place.path)
            .ok_or(TrustError::PathMalformed)?;
        verify_strict(self.signer, &self.purpose.message(&root.0), self.signature)
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{merkle_path, merkle_root};

    use super::*;
    use crate::signing::SigningKey;

    #[test]
    fn a_batch_speaks_for_each_of_its_leaves_and_for_no_other() {
        let key = SigningKey::from_seed(&[7; 32]);
        let leaves: Vec<Vec<u8>> = (0..5_u8).map(|i| vec![i; 9]).collect();
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let signed = key.sign(Purpose::CommandBatch, merkle_root(&hashes).0.to_vec());
        let batch = BatchSignature {
            purpose: Purpose::CommandBatch,
            signer: signed.signer,
            signature: signed.signature,
        };
        for (index, leaf) in leaves.iter().enumerate() {
            let path = merkle_path(&hashes, index).unwrap();
            let place = LeafPlace {
                index,
                count: 5,
                path,
            };
            assert_eq!(batch.verify_leaf(leaf, &place), Ok(()));
            let elsewhere = BatchSignature {
                purpose: Purpose::ParcelBatch,
                ..batch
            };
            assert!(elsewhere.verify_leaf(leaf, &place).is_err());
            assert!(batch.verify_leaf(b"another", &place).is_err());
            let short = LeafPlace {
                path: vec![],
                ..place
            };
            assert_eq!(
                batch.verify_leaf(leaf, &short),
                Err(TrustError::PathMalformed)
            );
        }
    }
}
