//! A snapshot file together with the state that holds it: what openraft passes around as snapshot
//! data. The bytes stay in the file until they are read piece by piece.

use std::fmt;
use std::sync::Arc;

use tongban_runtime::ports::{ReplicatedState, SnapshotFile, StateFailed};

use crate::formats::PIECE_BYTES_MAX;

/// A whole snapshot file of a state.
#[derive(Clone)]
pub(crate) struct SnapshotSource {
    pub(crate) state: Arc<dyn ReplicatedState>,
    pub(crate) file: SnapshotFile,
}

impl SnapshotSource {
    /// The piece at `offset`, at most [`PIECE_BYTES_MAX`] long.
    pub(crate) fn piece(&self, offset: u64) -> Result<bytes::Bytes, StateFailed> {
        let left = self.file.length.saturating_sub(offset);
        let length =
            usize::try_from(left).map_or(PIECE_BYTES_MAX, |left| left.min(PIECE_BYTES_MAX));
        let piece = self.state.read_snapshot(&self.file.name, offset, length)?;
        if piece.len() != length {
            return Err(StateFailed::Broken {
                reason: format!("snapshot {} is shorter than it was", self.file.name),
            });
        }
        Ok(piece)
    }

    /// The file is still the newest of its state; a newer snapshot removes older files.
    pub(crate) fn is_current(&self) -> bool {
        matches!(self.state.current_snapshot(), Ok(Some(file)) if file.name == self.file.name)
    }

    /// Copies the file into `state` and returns its name there.
    pub(crate) fn copy_into(&self, state: &dyn ReplicatedState) -> Result<String, StateFailed> {
        let name = state.begin_receive()?;
        let mut offset = 0;
        while offset < self.file.length {
            let piece = self.piece(offset)?;
            state.receive(&name, offset, &piece)?;
            offset += piece.len() as u64;
        }
        Ok(name)
    }
}

impl fmt::Debug for SnapshotSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.file.name, self.file.length)
    }
}
