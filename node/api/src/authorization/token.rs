//! The text of an access token: 256 random bits in base64url. Only its hash is ever stored.

use data_encoding::BASE64URL_NOPAD;
use tongban_runtime::seams::Entropy;
use tongban_types::{Hash, sha256};

/// Length of 32 bytes in base64url.
const TEXT_LENGTH: usize = 43;

/// An access token as its holder sends it. Shown once, when it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// A new token.
    pub fn make(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(BASE64URL_NOPAD.encode(&bytes))
    }

    /// The text; whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash that is stored.
    pub fn hash(&self) -> Hash {
        sha256(self.0.as_bytes())
    }

    /// The hash of a text that may be a token; `None` of one that never was one.
    pub(super) fn hash_of(text: &str) -> Option<Hash> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_token = text.len() == TEXT_LENGTH && text.bytes().all(allowed);
        is_token.then(|| sha256(text.as_bytes()))
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(…)")
    }
}
