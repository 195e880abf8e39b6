//! Certificates of a group: what a strict majority of its voters signed was committed, not merely
//! said by one of its hosts.

use std::collections::BTreeSet;

use tongban_types::{GroupId, KeyRole, NodeId, Purpose, Signature, Timestamp};

use crate::error::TrustError;
use crate::registry::Registry;
use crate::signing::verify_strict;

/// Checks that a strict majority of the group's voters signed `bytes` for `purpose`, each once and
/// with its own voter key. Who votes is what the group's placement in force says; the registry names
/// only whom a group began with. A false or foreign signature refuses the whole.
pub fn verify_majority(
    registry: &Registry,
    group: GroupId,
    voters: &[NodeId],
    purpose: Purpose,
    bytes: &[u8],
    signatures: &[(NodeId, Signature)],
) -> Result<(), TrustError> {
    if voters.is_empty() {
        return Err(TrustError::UnknownGroup { group });
    }
    let needed = voters.len() / 2 + 1;
    let mut signed = BTreeSet::new();
    // Names first, arithmetic after: a flood of signatures costs no curve operation.
    for (node, _) in signatures {
        if !voters.contains(node) {
            return Err(TrustError::NotAVoter { node: *node, group });
        }
        if !signed.insert(*node) {
            return Err(TrustError::VoterRepeated { node: *node });
        }
    }
    if signed.len() < needed {
        return Err(TrustError::NoMajority {
            group,
            needed,
            found: signed.len(),
        });
    }
    let message = purpose.message(bytes);
    for (node, signature) in signatures {
        let key = registry
            .voter_key(*node)
            .ok_or(TrustError::NotAVoter { node: *node, group })?;
        verify_strict(key, &message, *signature)?;
    }
    Ok(())
}

/// Checks that each of the voters may sign with its key at that time. Who is no voter is left to
/// [`verify_majority`].
pub fn check_voters_in_time(
    registry: &Registry,
    signatures: &[(NodeId, Signature)],
    at: Timestamp,
) -> Result<(), TrustError> {
    let is_in_time = |node: NodeId| {
        let key = registry.voter_key(node);
        key.is_none_or(|key| registry.key_holder_at(KeyRole::Voter, key, at).is_some())
    };
    match signatures.iter().find(|(node, _)| !is_in_time(*node)) {
        Some((node, _)) => Err(TrustError::KeyOutOfTime { node: *node, at }),
        None => Ok(()),
    }
}
