//! Which case names which file, in the node's own records: `0 ‖ file ‖ case` for good, `1 ‖ order ‖ file`
//! while it is not known what became of an order, and `2 ‖ file ‖ order` to find those by their file.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_types::{Attachment, BlobHash, CaseNumber, CommandId, Hash, Timestamp};

use crate::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};

const CASE: u8 = 0;
const ORDER: u8 = 1;
const PINNED: u8 = 2;

/// The value where a case names a file whose bytes did not come by it: they may be here for another's
/// sake, and this case's parties have no claim on them. Where they came by it the value is empty.
const NAMED_ONLY: &[u8] = &[0];

/// The records.
pub(super) struct References {
    local: Arc<dyn LocalLog>,
}

/// A file of an order of which it is not known what became.
pub(super) struct Pin {
    pub(super) id: CommandId,
    pub(super) blob: BlobHash,
    /// The case the order is about, where it had one before.
    pub(super) case: Option<CaseNumber>,
    pub(super) until: Timestamp,
}

/// Where a look through all pins goes on.
pub(super) type PinPlace = (CommandId, BlobHash);

impl References {
    pub(super) const fn over(local: Arc<dyn LocalLog>) -> Self {
        Self { local }
    }

    /// Whether a case names a file, as far as this node was told.
    pub(super) fn names(&self, case: CaseNumber, blob: BlobHash) -> bool {
        self.value(case, blob).is_some()
    }

    /// Whether the bytes of a file came by this case.
    pub(super) fn came_by(&self, case: CaseNumber, blob: BlobHash) -> bool {
        self.value(case, blob)
            .is_some_and(|value| value != NAMED_ONLY)
    }

    fn value(&self, case: CaseNumber, blob: BlobHash) -> Option<Vec<u8>> {
        self.local.get(LocalTable::Files, &case_key(case, blob))
    }

    /// Notes that a case names a file, so that what comes of it stays.
    pub(super) async fn name(&self, case: CaseNumber, blob: BlobHash) -> Result<(), LogFailed> {
        if self.names(case, blob) {
            return Ok(());
        }
        let key = case_key(case, blob);
        self.local.write(vec![keep(key, NAMED_ONLY.to_vec())]).await
    }

    /// Notes that the bytes of a file came by this case.
    pub(super) async fn note_came(
        &self,
        case: CaseNumber,
        blob: BlobHash,
    ) -> Result<(), LogFailed> {
        let key = case_key(case, blob);
        self.local.write(vec![keep(key, Vec::new())]).await
    }

    /// Cases that name a file, at most `limit`.
    pub(super) fn cases_of(&self, blob: BlobHash, limit: usize) -> Vec<CaseNumber> {
        let mut first = vec![CASE];
        first.extend(blob.0);
        let found = self.local.scan(LocalTable::Files, &first, limit);
        let theirs = found.into_iter().map(|(key, _)| key);
        theirs
            .take_while(|key| key.starts_with(&first))
            .filter_map(|key| std::str::from_utf8(&key[first.len()..]).ok()?.parse().ok())
            .collect()
    }

    /// A case names a file no longer.
    pub(super) async fn drop_case(
        &self,
        case: CaseNumber,
        blob: BlobHash,
    ) -> Result<(), LogFailed> {
        self.local.write(vec![forget(case_key(case, blob))]).await
    }

    /// Keeps files for an order, about a case that has its number already or about one to be. Returns
    /// those that were not kept for it before: only they may be let go with an attempt that failed.
    pub(super) async fn pin(
        &self,
        id: CommandId,
        case: Option<CaseNumber>,
        files: &[Attachment],
        until: Timestamp,
    ) -> Result<Vec<BlobHash>, LogFailed> {
        let blobs: BTreeSet<BlobHash> = files.iter().map(|file| file.blob).collect();
        let fresh = blobs.iter().copied();
        let fresh = fresh.filter(|blob| !self.has_pin(id, *blob)).collect();
        let mut value = until.unix_ms().to_be_bytes().to_vec();
        value.extend(
            case.map(|case| case.to_string())
                .unwrap_or_default()
                .into_bytes(),
        );
        let writes = blobs.into_iter().flat_map(|blob| {
            [
                keep(order_key(id, blob), value.clone()),
                keep(pinned_key(blob, id), Vec::new()),
            ]
        });
        self.local.write(writes.collect()).await?;
        Ok(fresh)
    }

    /// Whether an order keeps a file.
    pub(super) fn has_pin(&self, id: CommandId, blob: BlobHash) -> bool {
        let kept = self.local.get(LocalTable::Files, &order_key(id, blob));
        kept.is_some()
    }

    /// Whether any order keeps a file.
    pub(super) fn is_pinned(&self, blob: BlobHash) -> bool {
        let mut first = vec![PINNED];
        first.extend(blob.0);
        let found = self.local.scan(LocalTable::Files, &first, 1);
        found.iter().any(|(key, _)| key.starts_with(&first))
    }

    /// Ends the keeping for an order, in one with what its case keeps from now on.
    pub(super) async fn unpin(
        &self,
        id: CommandId,
        case: Option<CaseNumber>,
        blobs: &[BlobHash],
    ) -> Result<(), LogFailed> {
        let mut writes: Vec<LocalWrite> = Vec::new();
        for blob in blobs {
            writes.extend(case.map(|case| keep(case_key(case, *blob), Vec::new())));
            writes.push(forget(order_key(id, *blob)));
            writes.push(forget(pinned_key(*blob, id)));
        }
        self.local.write(writes).await
    }

    /// What orders keep, behind a place, at most `limit`.
    pub(super) fn pins(&self, after: Option<PinPlace>, limit: usize) -> Vec<Pin> {
        let first = match after {
            Some((id, blob)) => {
                let mut behind = order_key(id, blob);
                behind.push(0);
                behind
            }
            None => vec![ORDER],
        };
        let found = self.local.scan(LocalTable::Files, &first, limit);
        let pins = found.iter().map(|(key, value)| pin_of(key, value));
        pins.take_while(Option::is_some).flatten().collect()
    }
}

fn pin_of(key: &[u8], value: &[u8]) -> Option<Pin> {
    let (id, blob) = key.strip_prefix(&[ORDER])?.split_first_chunk::<32>()?;
    let (until, case) = value.split_first_chunk::<8>()?;
    Some(Pin {
        id: CommandId(Hash(*id)),
        blob: BlobHash(blob.try_into().ok()?),
        case: std::str::from_utf8(case).ok()?.parse().ok(),
        until: Timestamp::from_unix_ms(i64::from_be_bytes(*until)),
    })
}

fn case_key(case: CaseNumber, blob: BlobHash) -> Vec<u8> {
    let mut key = vec![CASE];
    key.extend(blob.0);
    key.extend(case.to_string().into_bytes());
    key
}

fn order_key(id: CommandId, blob: BlobHash) -> Vec<u8> {
    let mut key = vec![ORDER];
    key.extend(id.0.0);
    key.extend(blob.0);
    key
}

fn pinned_key(blob: BlobHash, id: CommandId) -> Vec<u8> {
    let mut key = vec![PINNED];
    key.extend(blob.0);
    key.extend(id.0.0);
    key
}

const fn keep(key: Vec<u8>, value: Vec<u8>) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Files,
        key,
        value: Some(value),
    }
}

const fn forget(key: Vec<u8>) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Files,
        key,
        value: None,
    }
}

#[cfg(test)]
mod tests;
