//! A recording: what a process did to its files, in order, with what it acknowledged in between.
//! The format is described where it is written, in `power-cut/rec.c`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};

const HEAD_BYTES: usize = 29;
const ACKNOWLEDGED: u8 = b'A';

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Below the recorded folder; empty for the folder itself.
    pub path: String,
    /// What happened to it.
    pub act: Act,
}

/// What happened to a path. Ranges lie in the recording's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A file came into being.
    MakeFile,
    /// A folder came into being.
    MakeFolder,
    /// Bytes were written at an offset.
    Write { at: usize, bytes: Range<usize> },
    /// The file was cut or grown.
    Truncate { length: usize },
    /// Space was allocated, by the mode of `fallocate(2)`.
    Allocate { at: usize, length: usize, mode: u32 },
    /// A sync of the file or folder began.
    SyncBegan { call: u64 },
    /// That sync succeeded.
    SyncDone { call: u64 },
    /// The file got this name.
    Rename { to: String },
    /// The file got this name besides.
    Link { to: String },
    /// The name is gone.
    Remove,
    /// Something was acknowledged to somebody.
    Acknowledge { bytes: Range<usize> },
}

impl Act {
    /// Whether a cut right after it may leave another disk, or find more owed, than one before it.
    pub fn is_a_moment(&self) -> bool {
        !matches!(self, Self::SyncBegan { .. })
    }

    /// Whether it changes which files there are.
    pub fn changes_names(&self) -> bool {
        matches!(
            self,
            Self::MakeFile
                | Self::MakeFolder
                | Self::Rename { .. }
                | Self::Link { .. }
                | Self::Remove
        )
    }
}

/// A whole recording.
#[derive(Clone, Debug)]
pub struct Recording {
    bytes: Vec<u8>,
    operations: Vec<Operation>,
}

impl Recording {
    /// Reads a recording. A record cut short at the end, by a kill, is left out.
    pub fn read(log: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(log).with_context(|| format!("no recording {}", log.display()))?;
        let mut operations = Vec::new();
        let mut at = 0;
        while let Some((operation, next)) = operation_at(&bytes, at)? {
            operations.push(operation);
            at = next;
        }
        Ok(Self { bytes, operations })
    }

    /// What happened, in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The bytes of a range.
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }
}

/// The record at a place and where the next one starts.
fn operation_at(bytes: &[u8], at: usize) -> Result<Option<(Operation, usize)>> {
    let Some(head) = bytes.get(at..at + HEAD_BYTES) else {
        return Ok(None);
    };
    let number = |from: usize| -> Result<usize> {
        let raw = head[from..from + 8].try_into().expect("eight bytes");
        usize::try_from(u64::from_le_bytes(raw)).context("a size beyond this machine")
    };
    let path_bytes = u32::from_le_bytes(head[1..5].try_into().expect("four bytes"));
    let path_end = at + HEAD_BYTES + usize::try_from(path_bytes)?;
    let end = path_end + number(21)?;
    let Some(data) = bytes.get(path_end..end) else {
        return Ok(None);
    };
    let path = String::from_utf8(bytes[at + HEAD_BYTES..path_end].to_vec())?;
    let (a, b) = (number(5)?, number(13)?);
    let act = match head[0] {
        b'C' => Act::MakeFile,
        b'M' => Act::MakeFolder,
        b'W' => Act::Write {
            at: a,
            bytes: path_end..end,
        },
        b'T' => Act::Truncate { length: a },
        b'F' => {
            let mode = u32::from_le_bytes(data.try_into().context("an allocation without mode")?);
            Act::Allocate {
                at: a,
                length: b,
                mode,
            }
        }
        b'Y' => Act::SyncBegan {
            call: u64::try_from(a)?,
        },
        b'Z' => Act::SyncDone {
            call: u64::try_from(a)?,
        },
        b'N' => Act::Rename {
            to: String::from_utf8(data.to_vec())?,
        },
        b'L' => Act::Link {
            to: String::from_utf8(data.to_vec())?,
        },
        b'U' => Act::Remove,
        ACKNOWLEDGED => Act::Acknowledge {
            bytes: path_end..end,
        },
        b'X' => bail!("{path}: cannot follow {}", String::from_utf8_lossy(data)),
        other => bail!("no record starts with {other}"),
    };
    Ok(Some((Operation { path, act }, end)))
}

/// Appends acknowledgements to a recording while it is made, from the recorded process or from
/// whoever receives them.
#[derive(Debug)]
pub struct AckLog(File);

impl AckLog {
    /// Appends to a recording.
    pub fn open(log: &Path) -> Result<Self> {
        Ok(Self(
            OpenOptions::new().create(true).append(true).open(log)?,
        ))
    }

    /// Appends to the recording this process is under, `None` when it is under none.
    pub fn of_this_process() -> Result<Option<Self>> {
        std::env::var_os("REC_LOG")
            .map(|log| Self::open(Path::new(&log)))
            .transpose()
    }

    /// Marks that from now on `acknowledged` must survive.
    pub fn mark(&mut self, acknowledged: &[u8]) -> Result<()> {
        let mut record = vec![0; HEAD_BYTES];
        record[0] = ACKNOWLEDGED;
        record[21..].copy_from_slice(&u64::try_from(acknowledged.len())?.to_le_bytes());
        record.extend_from_slice(acknowledged);
        // One write: an append to a file is not interleaved with another.
        Ok(self.0.write_all(&record)?)
    }
}

/// The acknowledgements a checker is given: each a `u32` length, little endian, and its bytes.
pub fn read_acks(file: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(file)?;
    let mut rest = bytes.as_slice();
    let mut acks = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_le_bytes(*length))?;
        let (ack, tail) = tail
            .split_at_checked(length)
            .context("an acknowledgement cut short")?;
        acks.push(ack.to_vec());
        rest = tail;
    }
    Ok(acks)
}
