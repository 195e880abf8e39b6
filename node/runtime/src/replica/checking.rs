//! The snapshot a replica was opened with, read once while the node runs: a start that has the state already
//! reads only its head. One that is damaged would be found by the replica that needs it, and again with
//! each try; so another one is cut in its place before that.

use std::io::ErrorKind;
use std::sync::{Arc, Weak};
use std::time::Duration;

use openraft_rt::AsyncRuntime;

use super::Replica;
use crate::ports::{ReplicatedState, SnapshotFile, StateFailed};
use crate::seams::{Disk, Platform};
use crate::snapshot::{Checksum, SnapshotError};

/// A node that just started has other things to read.
const CHECKED_AFTER: Duration = Duration::from_secs(10);

/// Pause between two pieces of a quarter of a MiB: some 40 MiB a second, a part of what a disk gives.
const PAUSE: Duration = Duration::from_millis(6);

impl<P: Platform> Replica<P> {
    /// Starts the check. It keeps nothing of the replica but the file, and ends with it.
    pub fn start_checking(self: &Arc<Self>) {
        let Some(kept) = self.current_snapshot() else {
            return;
        };
        let replica = Arc::downgrade(self);
        let disk = self.disk.clone();
        drop(P::Runtime::spawn(check(replica, disk, kept)));
    }

    /// Cuts a snapshot in the place of one that is damaged, unless a newer one took it already.
    async fn replace(&self, damaged: &SnapshotFile, error: &SnapshotError) {
        let is_kept = |newest: SnapshotFile| newest.name == damaged.name;
        if !self.current_snapshot().is_some_and(is_kept) {
            return;
        }
        let (group, name) = (self.group, &damaged.name);
        tracing::warn!(%group, %name, %error, "a snapshot is damaged; another one is cut");
        match self.cut_snapshot().await {
            // Of a replica that was set aside nobody is filled.
            Ok(_) | Err(StateFailed::Rejected { .. }) => {}
            Err(failed) => tracing::error!(%group, %failed, "no other snapshot could be cut"),
        }
    }
}

async fn check<P: Platform>(replica: Weak<Replica<P>>, disk: P::Disk, kept: SnapshotFile) {
    P::Runtime::sleep(CHECKED_AFTER).await;
    let read = match disk.open(&kept.name) {
        Ok(file) => read_whole::<P>(&replica, &file).await,
        // A newer one took its place, or is about to.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => Err(error.into()),
    };
    if let (Err(error), Some(replica)) = (read, replica.upgrade()) {
        replica.replace(&kept, &error).await;
    }
}

/// Reads all of it, unless the replica is gone before.
async fn read_whole<P: Platform>(
    replica: &Weak<Replica<P>>,
    file: &<P::Disk as Disk>::File,
) -> Result<(), SnapshotError> {
    let mut checksum = Checksum::of(file)?;
    while checksum.read_on()? && replica.strong_count() > 0 {
        P::Runtime::sleep(PAUSE).await;
    }
    Ok(())
}
