//! Snapshot files: which of them is whole, and the state filled from one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tongban_machine::{Write, WriteSet};

use super::position::frame_position;
use super::{Replica, broken};
use crate::ports::{ReplicatedState, SnapshotBytes, SnapshotFile, StateFailed};
use crate::seams::{Disk, DiskFile, Platform, StateStore};
use crate::signal::give_way;
use crate::snapshot::{self, Head, SnapshotError};

/// Bytes a received snapshot leaves free on the disk: four of the log's usual segments. A log that finds
/// no room for the next one stops the node, and all groups with it.
const KEPT_FREE_BYTES: u64 = 256 << 20;

impl<P: Platform> Replica<P> {
    /// The newest snapshot that may be believed. One that the state here is to be filled from is checked
    /// whole. Where the state is as new, its head is enough for now (`checking.rs`): to read gigabytes of
    /// each group would keep a node from starting.
    pub(super) async fn find_newest(&self, held: u64) -> Result<Option<SnapshotFile>, StateFailed> {
        let (files, _) = snapshot::files_of(&self.disk, self.group).map_err(|e| broken(&e))?;
        for name in files {
            let found = match self.look(&name) {
                Ok(file) if file.index > held => self.check(&name).await,
                looked => looked,
            };
            match found {
                Ok(file) => return Ok(Some(file)),
                Err(StateFailed::Rejected { reason }) => {
                    tracing::warn!(group = %self.group, %name, %reason, "a snapshot is passed over");
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(None)
    }

    /// What the head of a file says.
    fn look(&self, name: &str) -> Result<SnapshotFile, StateFailed> {
        let file = self.disk.open(name).map_err(|e| broken(&e))?;
        let (head, _) = snapshot::look(&file, self.group).map_err(|error| rejected(&error))?;
        snapshot_file::<P::Disk>(name.to_owned(), head, file)
    }

    /// Checks a file whole.
    pub(super) async fn check(&self, name: &str) -> Result<SnapshotFile, StateFailed> {
        let file = self.disk.open(name).map_err(|e| broken(&e))?;
        let (head, _) = snapshot::check(&file, self.group)
            .await
            .map_err(|error| rejected(&error))?;
        snapshot_file::<P::Disk>(name.to_owned(), head, file)
    }

    /// Replaces the state by a file that was checked.
    pub(super) async fn fill_from(&self, snapshot: &SnapshotFile) -> Result<(), StateFailed> {
        let file = self.disk.open(&snapshot.name).map_err(|e| broken(&e))?;
        let (head, mut offset) =
            snapshot::read_head(&file, snapshot.length).map_err(|e| broken(&e))?;
        // Even again at the very end alone: a state that could not be filled stays unread.
        self.fillings.fetch_add(1, Ordering::AcqRel);
        self.store.clear(self.group).map_err(|e| broken(&e))?;
        while let Some((page, next)) = snapshot::read_page(&file, offset).map_err(|e| broken(&e))? {
            let writes: WriteSet = page
                .into_iter()
                .map(|(key, value)| (key, Write::Put(value)))
                .collect();
            self.commit(&writes, &[])?;
            offset = next;
            give_way().await;
        }
        let position = frame_position(head.index, &head.position);
        self.commit(&WriteSet::new(), &position)?;
        // The feed of the state before says that places are held which this one has forgotten.
        self.open_feed()?;
        self.fillings.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Refuses a snapshot whose file, with the state filled from it, would leave too little of the disk.
    /// The state that is here now gives way to that one, and takes about what its own snapshot does.
    pub(super) fn find_room(&self, length: u64, left: u64) -> Result<(), StateFailed> {
        let free = self.disk.free_bytes(snapshot::FOLDER);
        let free = free.map_err(|e| broken(&e))?;
        let own = self.current_snapshot().map_or(0, |file| file.length);
        let grows = length.saturating_sub(own);
        let needed = left.saturating_add(grows).saturating_add(KEPT_FREE_BYTES);
        if needed <= free {
            return Ok(());
        }
        let reason = format!("of its {length} bytes {left} are to come, and {free} are free here");
        Err(StateFailed::Rejected { reason })
    }

    pub(super) fn clear_parts(&self) -> Result<(), StateFailed> {
        let (_, parts) = snapshot::files_of(&self.disk, self.group).map_err(|e| broken(&e))?;
        for name in parts {
            self.disk.remove(&name).map_err(|e| broken(&e))?;
        }
        Ok(())
    }

    /// Gives a whole file its name, durably, and lets the older ones go.
    pub(super) async fn name_and_tidy(&self, part: &str, name: &str) -> Result<(), StateFailed> {
        self.disk.rename(part, name).map_err(|e| broken(&e))?;
        self.disk
            .sync_folder(snapshot::FOLDER)
            .await
            .map_err(|e| broken(&e))?;
        let (files, _) = snapshot::files_of(&self.disk, self.group).map_err(|e| broken(&e))?;
        for old in files.into_iter().filter(|file| file.as_str() < name) {
            self.disk.remove(&old).map_err(|e| broken(&e))?;
        }
        Ok(())
    }
}

fn rejected(error: &SnapshotError) -> StateFailed {
    match error {
        SnapshotError::Disk(_) => broken(error),
        SnapshotError::Refused(reason) => StateFailed::Rejected {
            reason: (*reason).to_owned(),
        },
    }
}

/// A snapshot file, held open.
struct HeldFile<F>(F);

impl<F: DiskFile> SnapshotBytes for HeldFile<F> {
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, StateFailed> {
        let Self(file) = self;
        let rest = file.len().map_err(|e| broken(&e))?.saturating_sub(offset);
        let length = usize::try_from(rest).unwrap_or(length).min(length);
        let mut piece = vec![0; length];
        file.read_at(offset, &mut piece).map_err(|e| broken(&e))?;
        Ok(Bytes::from(piece))
    }
}

pub(super) fn snapshot_file<D: Disk>(
    name: String,
    head: Head,
    file: D::File,
) -> Result<SnapshotFile, StateFailed> {
    Ok(SnapshotFile {
        name,
        length: file.len().map_err(|e| broken(&e))?,
        index: head.index,
        position: head.position,
        bytes: Arc::new(HeldFile(file)),
    })
}
