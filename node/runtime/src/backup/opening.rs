//! What is in a backup, chunk by chunk, by the private half of its recovery key.

use std::io::Read;

use data_encoding::HEXLOWER;
use tongban_types::{BackupPart, BackupPiece};
use zeroize::Zeroizing;

use super::fault::BackupFault;
use super::frame::{FrameKind, Reading};
use super::reading::{CheckedBackup, read_head};
use super::seal::{BackupCipher, ChunkPlace, recovery_public};

/// One opened chunk.
#[derive(Debug)]
pub struct BackupChunk {
    /// What its part holds.
    pub part: BackupPart,
    /// Whether the part ends with it.
    pub is_last: bool,
    /// Its text.
    pub text: Zeroizing<Vec<u8>>,
}

/// A backup that was checked, being opened from its first chunk to its last.
pub struct BackupOpening<R> {
    reading: Reading<R>,
    cipher: BackupCipher,
    pieces: Vec<BackupPiece>,
    part: usize,
    chunk: u32,
}

impl<R> std::fmt::Debug for BackupOpening<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackupOpening(part {})", self.part)
    }
}

impl<R: Read> BackupOpening<R> {
    /// Begins, if the seed is the one it was sealed for. The file is read again from its first byte, and
    /// must be the one that was checked.
    pub fn begin(
        file: R,
        checked: &CheckedBackup,
        seed: &Zeroizing<[u8; 32]>,
    ) -> Result<Self, BackupFault> {
        let mut reading = Reading::new(file);
        let (head, head_hash) = read_head(&mut reading)?;
        let key = BackupCipher::recover(seed, &head.encapped)
            .filter(|_| recovery_public(seed) == head.recovery)
            .ok_or_else(|| BackupFault::NotOpened {
                made_for: HEXLOWER.encode(&head.recovery.0),
            })?;
        Ok(Self {
            reading,
            cipher: BackupCipher::new(key, head_hash),
            pieces: checked.manifest.pieces.clone(),
            part: 0,
            chunk: 0,
        })
    }

    /// The next chunk; `None` behind the last.
    pub fn next_chunk(&mut self) -> Result<Option<BackupChunk>, BackupFault> {
        let Some(piece) = self.pieces.get(self.part) else {
            return Ok(None);
        };
        let at = self.reading.at();
        let place = ChunkPlace {
            part: u32::try_from(self.part).expect("parts are bounded"),
            chunk: self.chunk,
            is_last: self.chunk + 1 >= piece.chunks,
        };
        let (kind, _, bytes) = self.reading.frame()?;
        let is_fitting = kind == place.kind();
        let text = self.cipher.open(place, &bytes).filter(|_| is_fitting);
        let text = text.ok_or(BackupFault::Altered {
            at,
            what: "a sealed chunk does not open",
        })?;
        let chunk = BackupChunk {
            part: piece.part.clone(),
            is_last: place.is_last,
            text,
        };
        if place.is_last {
            self.part += 1;
            self.chunk = 0;
        } else {
            self.chunk += 1;
        }
        Ok(Some(chunk))
    }
}

impl ChunkPlace {
    /// The kind of its frame.
    pub(super) const fn kind(self) -> FrameKind {
        if self.is_last {
            FrameKind::Last
        } else {
            FrameKind::More
        }
    }
}
