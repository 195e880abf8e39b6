//! The registry file: a TUF envelope `{signed, signatures}`. The signatures cover the canonical
//! JSON of `signed`; a registry is believed when a threshold of the governance keys signed it, of
//! the registry held before and of its own.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use tongban_types::{Hash, PublicKey, Signature, limits::REGISTRY_BYTES_MAX, sha256};

use super::decode::draft_of;
use super::encode::signed_part;
use super::error::RegistryError;
use super::history::check_history;
use super::key_id::KeyId;
use super::rule::GovernanceOf;
use super::{Registry, threshold_of};
use crate::json::{
    Fields, Json, ShapeError, ShapeProblem, canonical, compact, indented, read_strict,
};
use crate::signing::{SigningKey, verify_strict};
use crate::verified::Verified;

/// Signatures taken: those of two whole governance sets, and strangers' which are ignored.
const SIGNATURES_MAX: usize = 64;

/// A registry and the signatures gathered so far; not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFile {
    registry: Registry,
    message: Vec<u8>,
    signatures: BTreeMap<KeyId, Signature>,
}

impl RegistryFile {
    /// A file nobody has signed yet.
    pub fn unsigned(registry: Registry) -> Self {
        let message = canonical(&signed_part(registry.content()));
        Self {
            registry,
            message,
            signatures: BTreeMap::new(),
        }
    }

    /// Reads a file and checks what it says, not its signatures. For one's own state, where it was
    /// verified before it was written; anything else goes through [`verify_first`] or
    /// [`verify_next`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RegistryError> {
        let mut envelope = Fields::of(read_strict(bytes, REGISTRY_BYTES_MAX)?, "file")?;
        let signed = envelope.take("signed")?;
        let message = canonical(&signed);
        let registry = Registry::of(draft_of(signed)?)?;
        // What is stored again must be what was signed, to the byte.
        if message != canonical(&signed_part(registry.content())) {
            return Err(ShapeError::new("signed", ShapeProblem::OtherSpelling).into());
        }
        let mut signatures = BTreeMap::new();
        for entry in envelope.list("signatures", SIGNATURES_MAX)? {
            let (key, signature) = signature_of(entry)?;
            if signatures.insert(key, signature).is_some() {
                return Err(RegistryError::SignatureTwice { key });
            }
        }
        envelope.end()?;
        Ok(Self {
            registry,
            message,
            signatures,
        })
    }

    /// The file as one line of JSON: what is stored, sent and put into logs.
    pub fn encode(&self) -> Vec<u8> {
        compact(&self.to_json()).into_bytes()
    }

    /// The same for people, who read what they sign.
    pub fn encode_indented(&self) -> String {
        indented(&self.to_json())
    }

    /// Signs with a governance key, of this registry or of the one before it.
    pub fn sign(&mut self, key: &SigningKey) -> KeyId {
        let id = KeyId::of(key.public());
        self.signatures.insert(id, key.sign_raw(&self.message));
        id
    }

    /// What it says; believed only after verification.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The bytes a signature covers.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Who signed, as far as the file says.
    pub fn signers(&self) -> impl Iterator<Item = KeyId> {
        self.signatures.keys().copied()
    }

    /// How many of these keys signed. A false signature of one of them is an error, strangers'
    /// signatures are passed over.
    fn count_signed(&self, keys: impl Iterator<Item = PublicKey>) -> Result<usize, RegistryError> {
        let mut found = 0;
        for key in keys {
            let id = KeyId::of(key);
            let Some(signature) = self.signatures.get(&id) else {
                continue;
            };
            verify_strict(key, &self.message, *signature)
                .map_err(|_| RegistryError::SignatureInvalid { key: id })?;
            found += 1;
        }
        Ok(found)
    }

    fn check_threshold(&self, of: &Registry, whose: GovernanceOf) -> Result<(), RegistryError> {
        let keys = &of.content().governance;
        let needed = threshold_of(keys.len());
        let found = self.count_signed(keys.values().copied())?;
        if found < needed {
            return Err(RegistryError::Undersigned {
                whose,
                needed,
                found,
            });
        }
        Ok(())
    }

    fn to_json(&self) -> Json {
        let signatures = self.signatures.iter().map(|(key, signature)| {
            Json::object([
                ("keyid", Json::text(key.to_string())),
                ("sig", Json::text(HEXLOWER.encode(&signature.0))),
            ])
        });
        Json::object([
            ("signed", signed_part(self.registry.content())),
            ("signatures", Json::List(signatures.collect())),
        ])
    }
}

fn signature_of(entry: Json) -> Result<(KeyId, Signature), ShapeError> {
    let mut fields = Fields::of(entry, "file.signatures")?;
    let (key, signature) = (fields.text("keyid")?, fields.text("sig")?);
    let place = fields.place().to_owned();
    fields.end()?;
    let malformed = |problem| ShapeError::new(place.clone(), problem);
    let bytes = HEXLOWER.decode(signature.as_bytes()).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    Ok((
        KeyId::read(&key).ok_or_else(|| malformed(ShapeProblem::MalformedKeyId))?,
        Signature(bytes.ok_or_else(|| malformed(ShapeProblem::MalformedSignature))?),
    ))
}

/// The hash that pins a set of governance keys: SHA-256 of the canonical JSON of their ids, sorted,
/// and the threshold.
pub fn governance_hash(registry: &Registry) -> Hash {
    let keys = &registry.content().governance;
    let ids = keys.values().map(|key| KeyId::of(*key).to_string());
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    sha256(&canonical(&Json::object([
        ("_type", Json::text("tongban-governance")),
        (
            "keyids",
            Json::List(ids.into_iter().map(Json::Text).collect()),
        ),
        (
            "threshold",
            Json::Integer(i64::try_from(threshold_of(keys.len())).unwrap_or(i64::MAX)),
        ),
    ])))
}

/// Believes a registry by the pinned hash of its governance keys: any version signed by a threshold
/// of exactly those keys.
pub fn verify_first(bytes: &[u8], pinned: Hash) -> Result<Verified<Registry>, RegistryError> {
    let file = RegistryFile::decode(bytes)?;
    let found = governance_hash(&file.registry);
    if found != pinned {
        return Err(RegistryError::NotPinned { pinned, found });
    }
    file.check_threshold(&file.registry, GovernanceOf::New)?;
    Ok(Verified::by_check(file.registry))
}

/// Believes the registry that follows `current`: the next version, signed by a threshold of the
/// governance keys of both, and without breaking the history of keys.
pub fn verify_next(current: &Registry, bytes: &[u8]) -> Result<Verified<Registry>, RegistryError> {
    let file = RegistryFile::decode(bytes)?;
    let (held, found) = (current.version(), file.registry.version());
    let expected = held.saturating_add(1);
    if found < held {
        return Err(RegistryError::RolledBack {
            current: held,
            found,
        });
    }
    if found == held && file.registry.content() == current.content() {
        return Err(RegistryError::AlreadyHeld { version: held });
    }
    if found > expected {
        return Err(RegistryError::Skipped { expected, found });
    }
    file.check_threshold(current, GovernanceOf::Current)?;
    file.check_threshold(&file.registry, GovernanceOf::New)?;
    if found == held {
        return Err(RegistryError::Forked { version: held });
    }
    check_history(current, &file.registry)?;
    Ok(Verified::by_check(file.registry))
}
