//! What a new registry owes the one before it: keys keep their holder and role, a retired key stays
//! retired, and issuer keys are never dropped, because documents are checked with them for years.

use tongban_types::KeyRole;

use super::entry::KeyState;
use super::error::RegistryError;
use super::{KeyHolder, Registry};

/// Checks every key of `current` against `next`.
pub(super) fn check_history(current: &Registry, next: &Registry) -> Result<(), RegistryError> {
    current
        .holders
        .values()
        .try_for_each(|before| check_key(before, next))
}

fn check_key(before: &KeyHolder, next: &Registry) -> Result<(), RegistryError> {
    let key = before.entry.public;
    let Some(after) = next.key(key) else {
        let is_dropped_issuer = before.entry.role == KeyRole::Issuer;
        return if is_dropped_issuer {
            Err(RegistryError::KeyDropped { key })
        } else {
            Ok(())
        };
    };
    if (before.node, before.entry.role) != (after.node, after.entry.role) {
        return Err(RegistryError::KeyMoved { key });
    }
    if before.entry.state == KeyState::Retired && after.entry.state == KeyState::Active {
        return Err(RegistryError::KeyRevived { key });
    }
    Ok(())
}
