//! A snapshot file together with the state that holds it: what openraft passes around as snapshot
//! data. The file is held open, and its bytes stay in it until they are read piece by piece.

use std::fmt;
use std::sync::Arc;

use tongban_runtime::ports::{ReplicatedState, SnapshotFile, StateFailed};

use crate::formats::PIECE_BYTES_MAX;

/// A file another replica's snapshot is received into. It goes with its last holder, unless it was
/// installed meanwhile.
pub(crate) struct Received {
    state: Arc<dyn ReplicatedState>,
    name: String,
}

impl Received {
    pub(crate) fn begin(state: &Arc<dyn ReplicatedState>) -> Result<Self, StateFailed> {
        Ok(Self {
            name: state.begin_receive()?,
            state: Arc::clone(state),
        })
    }

    pub(crate) fn write(&self, offset: u64, piece: &[u8]) -> Result<(), StateFailed> {
        self.state.receive(&self.name, offset, piece)
    }

    /// Checks the whole file; what it says of itself is believed from then on.
    pub(crate) async fn check(self) -> Result<SnapshotSource, StateFailed> {
        let file = self.state.check_received(&self.name).await?;
        Ok(SnapshotSource {
            state: Arc::clone(&self.state),
            file,
            _held: Some(Arc::new(self)),
        })
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.state.discard(&self.name);
    }
}

/// A whole snapshot file of a state.
#[derive(Clone)]
pub(crate) struct SnapshotSource {
    pub(crate) state: Arc<dyn ReplicatedState>,
    pub(crate) file: SnapshotFile,
    /// What is to know how long the file is in use.
    _held: Option<Arc<dyn Send + Sync>>,
}

impl SnapshotSource {
    /// The snapshot of a state; `held` lives as long as the source and its clones.
    pub(crate) fn new(
        state: &Arc<dyn ReplicatedState>,
        file: SnapshotFile,
        held: Option<Arc<dyn Send + Sync>>,
    ) -> Self {
        Self {
            state: Arc::clone(state),
            file,
            _held: held,
        }
    }

    /// The piece at `offset`, at most [`PIECE_BYTES_MAX`] long.
    pub(crate) fn piece(&self, offset: u64) -> Result<bytes::Bytes, StateFailed> {
        let left = self.file.length.saturating_sub(offset);
        let length =
            usize::try_from(left).map_or(PIECE_BYTES_MAX, |left| left.min(PIECE_BYTES_MAX));
        let piece = self.file.bytes.read(offset, length)?;
        if piece.len() != length {
            return Err(StateFailed::Broken {
                reason: format!("snapshot {} is shorter than it was", self.file.name),
            });
        }
        Ok(piece)
    }

    /// Copies the file into `state`, as if it had been received.
    pub(crate) async fn copy_into(
        &self,
        state: &Arc<dyn ReplicatedState>,
    ) -> Result<Self, StateFailed> {
        let copy = Received::begin(state)?;
        let mut offset = 0;
        while offset < self.file.length {
            let piece = self.piece(offset)?;
            copy.write(offset, &piece)?;
            offset += piece.len() as u64;
        }
        copy.check().await
    }
}

impl fmt::Debug for SnapshotSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}
