//! What a new registry owes the one before it: keys keep their holder and role, a retired key stays
//! retired, issuer keys are never dropped, because documents are checked with them for years, and the
//! voters of a group that exists stay.

use tongban_types::KeyRole;

use super::entry::KeyState;
use super::error::RegistryError;
use super::{KeyHolder, Registry};

/// Checks every key and every group of `current` against `next`.
pub(super) fn check_history(current: &Registry, next: &Registry) -> Result<(), RegistryError> {
    current
        .holders
        .values()
        .try_for_each(|before| check_key(before, next))?;
    check_voters_stay(current, next)
}

/// A voter writes the first entry of its group by itself, with the voters its registry names: other
/// voters of a group that exists would begin a second log of it. Until voters are changed by an entry
/// of the group's own log, they stay. A city that joins brings a group that is new.
pub(super) fn check_voters_stay(current: &Registry, next: &Registry) -> Result<(), RegistryError> {
    let changed = current.cities().find(|(code, before)| {
        let after = next.city(*code);
        after.is_none_or(|after| after.voters != before.voters)
    });
    match changed {
        Some((city, _)) => Err(RegistryError::VotersChanged { city }),
        None => Ok(()),
    }
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
