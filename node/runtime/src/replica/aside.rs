//! The state of a group as it stands, for a backup: in a file without a name, which no start takes up and no
//! other replica is sent, and which goes with its last holder.

use openraft_rt::Mutex as _;
use sha2::{Digest, Sha256};
use tongban_types::{BackedUpState, Hash};

use super::files::snapshot_file;
use super::{Replica, broken};
use crate::ports::{SnapshotFile, StateFailed};
use crate::seams::{Disk, Platform};
use crate::signal::give_way;
use crate::snapshot::Pair;

/// A state and the file that holds it.
#[derive(Debug)]
pub(crate) struct StateAside {
    pub(crate) state: BackedUpState,
    pub(crate) file: SnapshotFile,
}

impl<P: Platform> Replica<P> {
    /// Cuts the state as of now; `None` if nothing was ever applied here. Waits for a snapshot that is
    /// being cut or installed.
    pub(crate) async fn cut_aside(&self) -> Result<Option<StateAside>, StateFailed> {
        let _alone = self.alone.lock().await;
        if self.stored_position()?.is_none() {
            return Ok(None);
        }
        let frozen = self.freeze()?;
        let mut content = Content::default();
        let part = self
            .write_part(&frozen.head, |page| content.add(page))
            .await?;
        let (head, state_hash) = (frozen.head.clone(), frozen.state_hash);
        drop(frozen);
        let (group, index) = (head.group, head.index);
        let file = self.disk.open(&part).map_err(|e| broken(&e));
        // From here on it can be read by whoever holds it open, and found by nobody.
        self.disk.remove(&part).map_err(|e| broken(&e))?;
        let file = snapshot_file::<P::Disk>(part, head, file?)?;
        let state = BackedUpState {
            group,
            index,
            state_hash,
            content: content.finish(),
        };
        Ok(Some(StateAside { state, file }))
    }

    /// What the state is, by everything it holds: as [`BackedUpState`] says of a backup. Nothing may be
    /// applied meanwhile. `None` if nothing was ever applied here.
    pub async fn describe(&self) -> Result<Option<BackedUpState>, StateFailed> {
        let Some((index, _)) = self.stored_position()? else {
            return Ok(None);
        };
        let mut content = Content::default();
        let mut from = Vec::new();
        loop {
            let (page, next) = self.next_frozen(&from)?;
            content.add(&page);
            match next {
                Some(next) => from = next,
                None => break,
            }
            give_way().await;
        }
        Ok(Some(BackedUpState {
            group: self.group,
            index,
            state_hash: self.read(tongban_machine::state_hash)?,
            content: content.finish(),
        }))
    }
}

/// The digest over all pairs of a state, each part behind its length.
#[derive(Default)]
struct Content(Sha256);

impl Content {
    fn add(&mut self, page: &[Pair]) {
        for (key, value) in page {
            for part in [key, value] {
                self.0.update((part.len() as u64).to_be_bytes());
                self.0.update(part);
            }
        }
    }

    fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}
