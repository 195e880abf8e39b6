//! Whether a backup is whole, as it was signed, and by whom; for which no key is needed.

use std::io::Read;

use sha2::{Digest, Sha256};
use tongban_trust::{Registry, verify_signed};
use tongban_types::limits::BACKUP_PARTS_MAX;
use tongban_types::{
    BACKUP_MAGIC, BackedUpState, BackupHead, BackupManifest, BackupPart, Hash, KeyRole, PublicKey,
    Purpose, Signature, Signed, decode, sha256,
};

use super::fault::BackupFault;
use super::frame::{FrameKind, Reading, SIGNATURE_BYTES, SIGNER_BYTES};
use super::{TableCounts, table_of};

/// A head has some hundred bytes.
const HEAD_BYTES_MAX: usize = 1024;

/// A backup that is whole and as it was signed.
#[derive(Clone, Debug)]
pub struct CheckedBackup {
    /// Whose it is, and to whom it is sealed.
    pub head: BackupHead,
    /// What it holds.
    pub manifest: BackupManifest,
    /// Who signed it.
    pub signer: PublicKey,
    /// Its length.
    pub bytes: u64,
}

impl CheckedBackup {
    /// Whether the registry enrols who signed it as a receipt key of the node it names, now or before: a
    /// backup is needed most when its node is lost, and the next registry retires that node's keys.
    pub fn is_known_to(&self, registry: &Registry) -> Result<(), BackupFault> {
        let node = self.head.node;
        let holder = registry.key(self.signer);
        if holder.is_some_and(|key| key.node == node && key.entry.role == KeyRole::Receipt) {
            return Ok(());
        }
        Err(BackupFault::OfUnknown {
            node,
            signer: self.signer,
        })
    }

    /// The states it promises, in the order of the file.
    pub fn states(&self) -> impl Iterator<Item = &BackedUpState> {
        self.manifest
            .pieces
            .iter()
            .filter_map(|piece| match &piece.part {
                BackupPart::State(state) => Some(state),
                BackupPart::Records { .. } | BackupPart::File { .. } => None,
            })
    }

    /// How many records of the node it promises, by table; those of unknown tables are left out.
    pub fn records(&self) -> TableCounts {
        let mut counts = TableCounts::new();
        for piece in &self.manifest.pieces {
            if let BackupPart::Records { table, pairs } = piece.part
                && let Some(table) = table_of(table)
            {
                *counts.entry(table).or_default() += pairs;
            }
        }
        counts
    }
}

/// Checks a file from its first byte to its last: nothing missing, nothing more, every frame as the
/// signed manifest says.
pub fn check_backup(file: impl Read) -> Result<CheckedBackup, BackupFault> {
    let mut reading = Reading::new(file);
    let (head, head_hash) = read_head(&mut reading)?;
    let mut found: Vec<Found> = Vec::new();
    let mut part = Unfinished::at(reading.at());
    let signed = loop {
        let (kind, frame_head, bytes) = reading.frame()?;
        if kind == FrameKind::Manifest {
            break bytes;
        }
        part.add(&frame_head, &bytes);
        if kind == FrameKind::Last {
            let next = Unfinished::at(reading.at());
            found.push(std::mem::replace(&mut part, next).finish());
            if found.len() > BACKUP_PARTS_MAX {
                return Err(reading.altered("more parts than a backup has"));
            }
        }
    };
    let (manifest, signer) = read_manifest(&reading, &signed)?;
    reading.end()?;
    if manifest.head != head_hash {
        let what = "the head is not the one that was signed";
        return Err(BackupFault::Altered { at: 0, what });
    }
    compare(&manifest, &found, &part)?;
    Ok(CheckedBackup {
        head,
        manifest,
        signer,
        bytes: reading.at(),
    })
}

/// A part as it stands in the file.
struct Found {
    at: u64,
    chunks: u32,
    sealed: Hash,
}

/// A part that is being read.
struct Unfinished {
    at: u64,
    chunks: u32,
    hasher: Sha256,
}

impl Unfinished {
    fn at(at: u64) -> Self {
        Self {
            at,
            chunks: 0,
            hasher: Sha256::new(),
        }
    }

    fn add(&mut self, head: &[u8], bytes: &[u8]) {
        self.hasher.update(head);
        self.hasher.update(bytes);
        self.chunks = self.chunks.saturating_add(1);
    }

    fn finish(self) -> Found {
        Found {
            at: self.at,
            chunks: self.chunks,
            sealed: Hash(self.hasher.finalize().into()),
        }
    }
}

/// Every part is the one that was signed, in its place, and there is no other.
fn compare(
    manifest: &BackupManifest,
    found: &[Found],
    rest: &Unfinished,
) -> Result<(), BackupFault> {
    let altered = |at, what| Err(BackupFault::Altered { at, what });
    for (part, piece) in found.iter().zip(&manifest.pieces) {
        if (part.chunks, part.sealed) != (piece.chunks, piece.sealed) {
            return altered(part.at, "the part that begins here is not the one signed");
        }
    }
    if rest.chunks != 0 || found.len() != manifest.pieces.len() {
        return altered(rest.at, "the parts are not as many as were signed");
    }
    Ok(())
}

/// The head, and the hash that stands for it.
pub(super) fn read_head<R: Read>(
    reading: &mut Reading<R>,
) -> Result<(BackupHead, Hash), BackupFault> {
    let no_backup = |fault| match fault {
        BackupFault::NotWhole { .. } => BackupFault::NoBackup,
        other => other,
    };
    let begin = reading.take(BACKUP_MAGIC.len() + 4).map_err(no_backup)?;
    let (magic, length) = begin.split_at(BACKUP_MAGIC.len());
    let length = u32::from_be_bytes(length.try_into().expect("four bytes are left")) as usize;
    if magic != BACKUP_MAGIC || length > HEAD_BYTES_MAX {
        return Err(BackupFault::NoBackup);
    }
    let bytes = reading.take(length)?;
    let head = decode(&bytes).map_err(|_| reading.altered("the head does not decode"))?;
    Ok((head, sha256(&bytes)))
}

fn read_manifest<R: Read>(
    reading: &Reading<R>,
    signed: &[u8],
) -> Result<(BackupManifest, PublicKey), BackupFault> {
    let refused = || reading.altered("the manifest's signature does not verify");
    let (signer, rest) = signed
        .split_first_chunk::<SIGNER_BYTES>()
        .ok_or_else(refused)?;
    let (signature, bytes) = rest
        .split_first_chunk::<SIGNATURE_BYTES>()
        .ok_or_else(refused)?;
    let signed = Signed {
        signer: PublicKey(*signer),
        signature: Signature(*signature),
        bytes: bytes.to_vec(),
    };
    verify_signed(Purpose::BackupManifest, &signed).map_err(|_| refused())?;
    let manifest =
        decode(bytes).map_err(|_| reading.altered("the manifest does not decode here"))?;
    Ok((manifest, signed.signer))
}

#[cfg(test)]
mod tests {
    use tongban_trust::RegistryDraft;
    use tongban_trust::testing::{SAMPLE_NOW, SampleFederation, sample_draft};
    use tongban_types::{NodeId, SealingPublicKey};

    use super::*;

    /// A backup of the first node that a node's key signed.
    fn signed_by(node: NodeId, role: KeyRole) -> CheckedBackup {
        CheckedBackup {
            head: BackupHead {
                node: SampleFederation::node(0),
                begun_at: SAMPLE_NOW,
                recovery: SealingPublicKey([1; 32]),
                encapped: [2; 32],
            },
            manifest: BackupManifest {
                head: Hash::default(),
                ended_at: SAMPLE_NOW,
                caught_up: true,
                attachments: 0,
                pieces: Vec::new(),
            },
            signer: SampleFederation::key(node, role).public(),
            bytes: 0,
        }
    }

    #[test]
    fn a_backup_stays_known_to_the_registry_that_retires_its_node() {
        let (lost, other) = (SampleFederation::node(0), SampleFederation::node(1));
        let first = sample_draft().check().unwrap();
        let mut draft = RegistryDraft::after(&first, first.expires());
        draft.retire(lost).unwrap();
        let next = draft.check().unwrap();
        for registry in [&first, &next] {
            let known = |node, role| signed_by(node, role).is_known_to(registry);
            assert!(known(lost, KeyRole::Receipt).is_ok());
            for (node, role) in [(lost, KeyRole::Command), (other, KeyRole::Receipt)] {
                let refused = known(node, role).unwrap_err();
                assert_eq!(refused.code(), tongban_types::Code::BACKUP_OF_UNKNOWN);
            }
        }
    }
}
