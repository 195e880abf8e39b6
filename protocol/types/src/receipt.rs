//! Receipts for what was handed in: first *stored* at one node, then *replicated* in its group.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::item::ItemVersion;
use crate::keys::{PublicKey, Signature, Signed};
use crate::records;
use crate::time::Timestamp;
use crate::{CaseNumber, CityCode, NodeId};

/// What a receipt says was handed in. Holds nothing personal: the form is named by its salted hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptBody {
    /// The case.
    pub case: CaseNumber,
    /// The item and the version of its guide.
    pub item: ItemVersion,
    /// The city whose decision it is.
    pub authority: CityCode,
    /// When it was handed in, by the node's clock: the time the law reckons from.
    pub collected_at: Timestamp,
    /// Salted hash of the form.
    pub form: Hash,
    /// The node that took it.
    pub node: NodeId,
}

/// A receipt signed for a whole batch: one signature over the Merkle root, and this one's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicatedReceipt {
    /// The receipt key.
    pub signer: PublicKey,
    /// Over `Purpose::ReceiptReplicated` and the 32 bytes of the root.
    pub signature: Signature,
    /// The encoded [`ReceiptBody`], a leaf.
    #[serde(with = "crate::run")]
    pub body: Vec<u8>,
    /// Its index.
    pub index: u32,
    /// Leaves in the batch.
    pub count: u32,
    /// RFC 6962 path, lowest first.
    pub path: Vec<Hash>,
}

/// How safe what was handed in is, and the signed word for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receipt {
    /// Durable at one node: the encoded [`ReceiptBody`] under `Purpose::ReceiptLocal`.
    Stored(Signed),
    /// Committed by a majority of the group's voters.
    Replicated(ReplicatedReceipt),
}

records! {
    ReceiptBody = 206 v 1 "receipt";
    Receipt = 207 v 1 "signed receipt";
}
