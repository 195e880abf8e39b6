//! Replicas of a node that does not run: its states as they were left, for a backup and for its drill. No
//! log is read and nothing is applied: who opens them takes part in nothing.

use std::sync::Arc;

use tongban_machine::Machine;
use tongban_runtime::Replica;
use tongban_runtime::seams::Platform;
use tongban_types::{GroupId, Hash};

use crate::error::StartError;

/// Opens the state of each group as a start would, out of the store or, where it is newer, its snapshot. A
/// group there is nothing of has an empty one.
pub async fn replicas_at_rest<P: Platform>(
    store: &Arc<P::Store>,
    disk: &P::Disk,
    groups: impl IntoIterator<Item = GroupId>,
) -> Result<Vec<Arc<Replica<P>>>, StartError> {
    let mut replicas = Vec::new();
    for group in groups {
        // Whom a group believes first matters to who applies.
        let machine = Arc::new(Machine::new(group, Hash::default()));
        let opened = Replica::<P>::open(machine, store.clone(), disk.clone(), None).await;
        let replica = opened.map_err(|source| StartError::State { group, source })?;
        replicas.push(Arc::new(replica));
    }
    Ok(replicas)
}
