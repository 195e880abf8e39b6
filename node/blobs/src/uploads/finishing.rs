//! From the last byte to the shelf, step by step, each of which can be done again: bytes durable, tree
//! made, head written, file placed, shown.

use std::io;
use std::sync::Arc;

use tongban_runtime::{BlobError, Upload, UploadId};
use tongban_types::{BlobHash, encode};

use super::{Entry, Stage, Uploads, head_of};
use crate::files;
use crate::hashing;
use crate::part::Part;
use crate::shelf::{Shelf, blocking, failed};
use crate::space::Space;

impl Uploads {
    pub(crate) async fn commit(
        &self,
        id: UploadId,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<Upload, BlobError> {
        let entry = self.entry(id)?;
        let mut stage = entry.stage().await;
        if matches!(*stage, Stage::Growing(_)) {
            let work = Arc::clone(&entry);
            let (back, synced) = blocking(move || {
                let part = stage.part().expect("looked at above");
                let synced = sync_and_hash(&work, part);
                (stage, synced)
            })
            .await?;
            stage = back;
            if let Some(blob) = synced.map_err(failed)? {
                *stage = Stage::Hashed(blob);
            }
        }
        if let Stage::Hashed(blob) = *stage {
            entry.settle(blob, shelf, space).await?;
            *stage = Stage::Shelved;
        }
        Ok(*entry.shown())
    }
}

impl Entry {
    /// Puts a whole upload on the shelf, or lets it go if the file lies there already.
    pub(super) async fn settle(
        &self,
        blob: BlobHash,
        shelf: &Shelf,
        space: &Space,
    ) -> Result<(), BlobError> {
        let length = self.shown().length;
        let place = shelf.place(blob).await;
        if shelf.tree(blob).await?.is_some() {
            space.give_back(length, 0);
        } else {
            let (bytes, tree) = (self.paths.bytes.clone(), self.paths.tree.clone());
            shelf.put(blob, length, bytes, tree).await?;
        }
        // Before the place is free: who removes files looks at what uploads show.
        self.show_whole(blob);
        drop(place);
        let paths = self.paths.clone();
        if let Err(error) = blocking(move || paths.remove()).await? {
            tracing::warn!(%error, "what is left of an upload stays until the next start");
        }
        Ok(())
    }

    pub(super) fn show_whole(&self, blob: BlobHash) {
        let mut shown = self.shown();
        shown.offset = shown.length;
        shown.blob = Some(blob);
    }
}

/// Makes what came durable; of a whole file builds the tree and notes in the head which file it is.
fn sync_and_hash(entry: &Entry, part: &Part) -> io::Result<Option<BlobHash>> {
    let offset = part.sync()?;
    let mut shown = *entry.shown();
    if offset < shown.length {
        entry.shown().offset = offset;
        return Ok(None);
    }
    let blob = hashing::build(&entry.paths.bytes, shown.length, &entry.paths.tree)?;
    shown.blob = Some(blob);
    files::write_whole(&entry.head, &encode(&head_of(&shown)))?;
    Ok(Some(blob))
}
