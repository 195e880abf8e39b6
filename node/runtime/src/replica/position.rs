//! A place in the log as the store keeps it beside the state.

use super::{Replica, broken};
use crate::ports::StateFailed;
use crate::seams::{Platform, StateStore};

impl<P: Platform> Replica<P> {
    /// How far the store holds the state.
    pub(super) fn stored_position(&self) -> Result<Option<(u64, Vec<u8>)>, StateFailed> {
        let framed = self.store.position(self.group).map_err(|e| broken(&e))?;
        // An empty one marks a group that was being filled from a snapshot when the node stopped.
        Ok(framed.as_deref().and_then(read_position))
    }
}

/// What the store keeps of a place in the log: its index, and the position as its author wrote it.
pub(super) fn frame_position(index: u64, position: &[u8]) -> Vec<u8> {
    let mut framed = index.to_be_bytes().to_vec();
    framed.extend_from_slice(position);
    framed
}

fn read_position(framed: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (index, position) = framed.split_at_checked(8)?;
    Some((
        u64::from_be_bytes(index.try_into().ok()?),
        position.to_vec(),
    ))
}
