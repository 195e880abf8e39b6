//! Names of governance keys as TUF gives them: the SHA-256 of the key's canonical JSON.

use data_encoding::HEXLOWER;
use tongban_types::{Hash, PublicKey, sha256};

use crate::json::{Json, canonical};

/// SHA-256 of the canonical JSON of a key (TUF 1.0 §4.2), 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub Hash);

impl KeyId {
    /// The id of a key.
    pub fn of(key: PublicKey) -> Self {
        Self(sha256(&canonical(&tuf_key(key))))
    }

    /// Reads 64 lowercase hexadecimal digits.
    pub fn read(text: &str) -> Option<Self> {
        HEXLOWER
            .decode(text.as_bytes())
            .ok()?
            .try_into()
            .ok()
            .map(|bytes| Self(Hash(bytes)))
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A key as a TUF key object.
pub(super) fn tuf_key(key: PublicKey) -> Json {
    Json::object([
        ("keytype", Json::text("ed25519")),
        (
            "keyval",
            Json::object([("public", Json::text(key.to_string()))]),
        ),
        ("scheme", Json::text("ed25519")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_the_hash_of_the_tuf_key_object() {
        let key = PublicKey([0xab; 32]);
        let object = format!(
            r#"{{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}}"#,
            "ab".repeat(32)
        );
        assert_eq!(KeyId::of(key), KeyId(sha256(object.as_bytes())));
        assert_eq!(
            KeyId::read(&KeyId::of(key).to_string()),
            Some(KeyId::of(key))
        );
        assert_eq!(KeyId::read("AB"), None);
    }
}
