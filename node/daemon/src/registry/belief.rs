//! Believing a registry file somebody points at: by a pinned hash of its governance keys, or, where
//! none is given, because the person who points at it answers for it.

use tongban_trust::{Registry, RegistryError, RegistryFile, governance_hash, verify_first};
use tongban_types::Hash;

/// Checks what a file says and that a threshold of its governance keys signed it; with a pin, that
/// these are the keys pinned.
pub(crate) fn believe(bytes: &[u8], pin: Option<Hash>) -> Result<Registry, RegistryError> {
    let pin = match pin {
        Some(pin) => pin,
        None => governance_hash(RegistryFile::decode(bytes)?.registry()),
    };
    Ok(verify_first(bytes, pin)?.into_inner())
}
