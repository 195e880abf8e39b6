//! Backups of the node while it works: one at a time, to the recovery key of its configuration, made as fast
//! as they are taken.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc::{Sender, channel};
use tongban_api::BackupPieces;
use tongban_assembly::Node;
use tongban_runtime::{BackupFault, BackupSink, take_backup};
use tongban_types::{Code, SealingPublicKey};

use super::data_folder::BACKUP_STAMP;
use crate::files::replace;
use crate::platform::DaemonPlatform;
use crate::registry::held_files;

/// Pieces made ahead of whoever takes them, some 64 KiB each.
const PIECES_AHEAD: usize = 4;

/// Makes backups of a running node.
pub(super) struct Backups {
    pub(super) node: Arc<Node<DaemonPlatform>>,
    pub(super) data: PathBuf,
    pub(super) recovery: Option<SealingPublicKey>,
    pub(super) under_way: Arc<AtomicBool>,
}

/// Frees the place of the one backup, however it ends.
struct Place(Arc<AtomicBool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Hands pieces on; whoever takes them may go at any time.
struct Pieces(Sender<io::Result<Bytes>>);

#[async_trait]
impl BackupSink for Pieces {
    async fn put(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let sent = self.0.send(Ok(Bytes::from(bytes))).await;
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes the backup"))
    }
}

impl Backups {
    /// Begins one, or says why not.
    pub(super) fn begin(&self) -> Result<BackupPieces, Code> {
        let recovery = self.recovery.ok_or(Code::NO_RECOVERY_KEY)?;
        if self.under_way.swap(true, Ordering::AcqRel) {
            return Err(Code::BACKUP_UNDER_WAY);
        }
        let place = Place(self.under_way.clone());
        let files = held_files(&self.data).map_err(|failure| failure.code)?;
        let source = self.node.backup_source(recovery, files);
        let (node, stamp) = (self.node.handle(), self.data.join(BACKUP_STAMP));
        let (give, take) = channel(PIECES_AHEAD);
        tokio::spawn(async move {
            let _place = place;
            let mut pieces = Pieces(give);
            let made = take_backup(&source, Some(&*node), &mut pieces).await;
            match made {
                Ok(manifest) => {
                    let parts = manifest.pieces.len();
                    tracing::info!(
                        parts,
                        caught_up = manifest.caught_up,
                        "the node is backed up"
                    );
                    if let Err(error) = replace(&stamp, b"", 0o644) {
                        tracing::warn!(%error, "the time of the backup is not kept");
                    }
                }
                Err(fault) => break_off(&fault, &pieces.0).await,
            }
        });
        Ok(take)
    }
}

async fn break_off(fault: &BackupFault, give: &Sender<io::Result<Bytes>>) {
    tracing::warn!(error = %fault, code = %fault.code(), "a backup is broken off");
    let broken = io::Error::other(fault.to_string());
    // Nobody need be there any more.
    let _ = give.send(Err(broken)).await;
}
