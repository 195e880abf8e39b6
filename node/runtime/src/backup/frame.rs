//! Frames of a backup file: a kind, a length, and as many bytes.

use std::io::{ErrorKind, Read};

use tongban_types::limits::{BACKUP_FRAME_BYTES_MAX, BACKUP_MANIFEST_BYTES_MAX};

use super::fault::BackupFault;

/// Kind and length.
pub(super) const FRAME_HEAD_BYTES: usize = 5;

/// A signed manifest: who signed it, the signature, the bytes.
pub(super) const SIGNER_BYTES: usize = 32;
pub(super) const SIGNATURE_BYTES: usize = 64;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// A chunk, behind which its part goes on.
    More,
    /// The last chunk of its part.
    Last,
    /// The signed manifest, behind which nothing follows.
    Manifest,
}

impl FrameKind {
    const fn number(self) -> u8 {
        match self {
            Self::More => 0,
            Self::Last => 1,
            Self::Manifest => 2,
        }
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::More | Self::Last => BACKUP_FRAME_BYTES_MAX,
            Self::Manifest => SIGNER_BYTES + SIGNATURE_BYTES + BACKUP_MANIFEST_BYTES_MAX,
        }
    }
}

/// The bytes of a frame.
pub(super) fn frame(kind: FrameKind, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a frame is below its bound");
    let mut framed = Vec::with_capacity(FRAME_HEAD_BYTES + bytes.len());
    framed.push(kind.number());
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(bytes);
    framed
}

/// Reads a file and knows where it is.
pub(super) struct Reading<R> {
    file: R,
    at: u64,
}

impl<R: Read> Reading<R> {
    pub(super) const fn new(file: R) -> Self {
        Self { file, at: 0 }
    }

    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn altered(&self, what: &'static str) -> BackupFault {
        BackupFault::Altered { at: self.at, what }
    }

    /// Exactly so many bytes; an earlier end means that the backup is not whole.
    pub(super) fn take(&mut self, length: usize) -> Result<Vec<u8>, BackupFault> {
        let mut bytes = vec![0; length];
        match self.file.read_exact(&mut bytes) {
            Ok(()) => {
                self.at += length as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(BackupFault::NotWhole { at: self.at })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The next frame, and its head and bytes as they stand.
    pub(super) fn frame(&mut self) -> Result<(FrameKind, Vec<u8>, Vec<u8>), BackupFault> {
        let head = self.take(FRAME_HEAD_BYTES)?;
        let kind = match head[0] {
            0 => FrameKind::More,
            1 => FrameKind::Last,
            2 => FrameKind::Manifest,
            _ => return Err(self.altered("a frame of no known kind")),
        };
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > kind.bytes_max() {
            return Err(self.altered("a frame longer than allowed"));
        }
        let bytes = self.take(length)?;
        Ok((kind, head, bytes))
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), BackupFault> {
        let mut one = [0];
        loop {
            match self.file.read(&mut one) {
                Ok(0) => return Ok(()),
                Ok(_) => return Err(self.altered("something follows the manifest")),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
