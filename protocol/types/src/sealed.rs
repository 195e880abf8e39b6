//! Personal data as the log carries it: ciphertext only. The arithmetic is in the runtime's vault;
//! case keys are in no log.

use serde::{Deserialize, Serialize};

use crate::CaseNumber;

/// What a sealed text is, bound into its authentication so that none passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SealedUse {
    /// The filled form, JSON.
    Form,
    /// The one-time notice of what must be corrected.
    Notice,
    /// A reason, opinion or remark.
    Reason,
    /// The exact signing input of a document, with its disclosures.
    SigningInput,
    /// A signed document in compact form.
    Document,
}

/// XChaCha20-Poly1305 ciphertext with its tag, under the key of its case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// What it is.
    pub usage: SealedUse,
    /// Random, 24 bytes, never used twice under one key.
    pub nonce: [u8; 24],
    /// Ciphertext and tag.
    #[serde(with = "crate::run")]
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// What is authenticated beside the text: the use and the case.
    pub fn associated_data(usage: SealedUse, case: CaseNumber) -> Vec<u8> {
        format!("tongban/sealed/v1\n{}\n{case}", usage as u8).into_bytes()
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Sealed({:?}, {} bytes)",
            self.usage,
            self.ciphertext.len()
        )
    }
}
