//! Certificates of a group: what a strict majority of its voters signed was committed, not merely
//! said by one of its hosts.

use std::collections::BTreeSet;

use tongban_types::{GroupId, NodeId, Purpose, Signature};

use crate::error::TrustError;
use crate::registry::Registry;
use crate::signing::verify_strict;

/// Checks that a strict majority of the group's voters signed `bytes` for `purpose`, each once and
/// with its own voter key. A false or foreign signature refuses the whole.
pub fn verify_majority(
    registry: &Registry,
    group: GroupId,
    purpose: Purpose,
    bytes: &[u8],
    signatures: &[(NodeId, Signature)],
) -> Result<(), TrustError> {
    let needed = registry
        .majority(group)
        .ok_or(TrustError::UnknownGroup { group })?;
    let voters = registry.voters(group);
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
