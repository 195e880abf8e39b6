//! From what a node believes to the registry it is given: each version follows the one before it. Versions
//! between are looked for beside the one given.

use std::path::Path;

use tongban_trust::{Registry, RegistryError, RegistryFile, verify_first, verify_next};
use tongban_types::Hash;
use tongban_types::limits::REGISTRIES_KEPT_MAX;

use super::files::{beside, read_registry};

/// A registry that is believed, and its file.
pub(super) type Believed = (Registry, Vec<u8>);

/// From the one held to the one given, through those between.
pub(super) fn chain_after(
    current: &Registry,
    given: &Path,
    file: Vec<u8>,
) -> Result<Vec<Believed>, RegistryError> {
    let last = RegistryFile::decode(&file)?.registry().version();
    let mut chain: Vec<Believed> = Vec::new();
    for version in current.version().saturating_add(1)..last {
        let before = chain.last().map_or(current, |(registry, _)| registry);
        let Ok(between) = read_registry(&beside(given, version)) else {
            break;
        };
        let next = verify_next(before, &between)?.into_inner();
        chain.push((next, between));
    }
    let before = chain.last().map_or(current, |(registry, _)| registry);
    let next = verify_next(before, &file)?.into_inner();
    chain.push((next, file));
    Ok(chain)
}

/// The first: the one given, by the pinned keys; or, where governance keys have changed since, the
/// oldest beside it that they signed, and those that follow.
pub(super) fn chain_from_pin(
    governance: Hash,
    given: &Path,
    file: Vec<u8>,
) -> Result<Vec<Believed>, RegistryError> {
    let not_pinned = match verify_first(&file, governance) {
        Ok(registry) => return Ok(vec![(registry.into_inner(), file)]),
        Err(error @ RegistryError::NotPinned { .. }) => error,
        Err(error) => return Err(error),
    };
    let last = RegistryFile::decode(&file)?.registry().version();
    let oldest = last.saturating_sub(REGISTRIES_KEPT_MAX as u64).max(1);
    let pinned = (oldest..last).find_map(|version| {
        let bytes = read_registry(&beside(given, version)).ok()?;
        let first = verify_first(&bytes, governance).ok()?;
        Some((first.into_inner(), bytes))
    });
    let (first, bytes) = pinned.ok_or(not_pinned)?;
    let rest = chain_after(&first, given, file)?;
    Ok([(first, bytes)].into_iter().chain(rest).collect())
}
