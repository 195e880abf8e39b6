//! Which case names which file, in the node's own records: `0 ‖ file ‖ case` for good, `1 ‖ order ‖ file`
//! while an order is under way whose case has no number yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use tongban_types::{Attachment, BlobHash, CaseNumber, CommandId, Hash, Timestamp};

use crate::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};

const CASE: u8 = 0;
const ORDER: u8 = 1;

/// The records.
pub(super) struct References {
    local: Arc<dyn LocalLog>,
}

/// A file an order under way names.
pub(super) struct Pin {
    pub(super) id: CommandId,
    pub(super) blob: BlobHash,
    pub(super) until: Timestamp,
}

impl References {
    pub(super) const fn over(local: Arc<dyn LocalLog>) -> Self {
        Self { local }
    }

    /// Whether a case names a file, as far as this node was told.
    pub(super) fn names(&self, case: CaseNumber, blob: BlobHash) -> bool {
        let key = case_key(case, blob);
        self.local.get(LocalTable::Files, &key).is_some()
    }

    /// Notes that a case names a file.
    pub(super) async fn name(&self, case: CaseNumber, blob: BlobHash) -> Result<(), LogFailed> {
        if self.names(case, blob) {
            return Ok(());
        }
        self.local.write(vec![keep(case_key(case, blob))]).await
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

    /// Keeps files for an order.
    pub(super) async fn pin(
        &self,
        id: CommandId,
        files: &[Attachment],
        until: Timestamp,
    ) -> Result<(), LogFailed> {
        let blobs: BTreeSet<BlobHash> = files.iter().map(|file| file.blob).collect();
        let writes = blobs.into_iter().map(|blob| LocalWrite {
            value: Some(until.unix_ms().to_be_bytes().to_vec()),
            ..keep(order_key(id, blob))
        });
        self.local.write(writes.collect()).await
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
            writes.extend(case.map(|case| keep(case_key(case, *blob))));
            writes.push(forget(order_key(id, *blob)));
        }
        self.local.write(writes).await
    }

    /// What orders under way name, at most `limit`.
    pub(super) fn pins(&self, limit: usize) -> Vec<Pin> {
        let found = self.local.scan(LocalTable::Files, &[ORDER], limit);
        found
            .into_iter()
            .filter_map(|(key, value)| {
                let (id, blob) = key.get(1..)?.split_first_chunk::<32>()?;
                Some(Pin {
                    id: CommandId(Hash(*id)),
                    blob: BlobHash(blob.try_into().ok()?),
                    until: Timestamp::from_unix_ms(i64::from_be_bytes(value.try_into().ok()?)),
                })
            })
            .collect()
    }
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

const fn keep(key: Vec<u8>) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Files,
        key,
        value: Some(Vec::new()),
    }
}

const fn forget(key: Vec<u8>) -> LocalWrite {
    LocalWrite {
        table: LocalTable::Files,
        key,
        value: None,
    }
}
