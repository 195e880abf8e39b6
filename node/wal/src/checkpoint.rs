//! The checkpoint file: marks of groups and all local records, so that the segments that held them
//! can go. A header (magic 8, checksum u32 of what follows, format u16, 2 zero bytes, base u64, salt
//! u64), then records as in a segment, the last one saying how many there are. It is written aside,
//! synced and renamed, so that under its name it is always whole.

use std::io;
use std::sync::RwLock;

use bytes::Bytes;
use tongban_runtime::seams::{Disk, DiskFile};
use tongban_types::GroupId;

use crate::config::{CHECKPOINT_SYNC_BYTES, CHUNK_BYTES, RECORD_BYTES_MAX};
use crate::damage::Damage;
use crate::error::{DiskStep, OpenError};
use crate::files::{CHECKPOINT, CHECKPOINT_ASIDE, FOLDER};
use crate::format::{Cursor, FORMAT, Record, salted};
use crate::index::Marks;
use crate::tables::{Tables, TablesCursor};

const MAGIC: &[u8; 8] = b"TBWALCKP";
const HEADER_BYTES: usize = 32;
const CHECKED_FROM: usize = 12;
/// Length and checksum of a record.
const FRAME_BYTES: usize = 8;

/// Writes a checkpoint that holds every local record of the segments before `base`.
pub(crate) async fn write<D: Disk>(
    disk: &D,
    tables: &RwLock<Tables>,
    base: u64,
    salt: u64,
    marks: Vec<(GroupId, Marks)>,
) -> io::Result<()> {
    let file = disk.create(CHECKPOINT_ASIDE)?;
    file.write_at(0, &encode_header(base, salt))?;
    let mut aside = Aside {
        file,
        seed: salted(salt),
        offset: HEADER_BYTES as u64,
        unsynced: 0,
        count: 0,
        buffer: Vec::new(),
    };
    for (group, marks) in marks {
        for record in mark_records(group, marks) {
            aside.push(&record).await?;
        }
    }
    let mut cursor = TablesCursor::default();
    loop {
        let chunk = match tables.read() {
            Ok(tables) => tables.encode_chunk(&mut cursor, CHUNK_BYTES),
            Err(_) => return Err(io::Error::other("the local records broke off midway")),
        };
        if chunk.is_empty() {
            break;
        }
        let changes = Bytes::from(chunk);
        aside.push(&Record::Local { changes }).await?;
    }
    let count = aside.count;
    aside.push(&Record::End { count }).await?;
    aside.file.sync().await?;
    disk.rename(CHECKPOINT_ASIDE, CHECKPOINT)?;
    disk.sync_folder(FOLDER).await
}

fn mark_records(group: GroupId, marks: Marks) -> impl Iterator<Item = Record> {
    let vote = marks.vote.map(|bytes| Record::Vote { group, bytes });
    let committed = marks
        .committed
        .map(|bytes| Record::Committed { group, bytes });
    let purged = marks.purged.map(|purged| Record::Purge {
        group,
        upto: purged.upto,
        meta: purged.meta,
    });
    [vote, committed, purged].into_iter().flatten()
}

/// The file being written.
struct Aside<F> {
    file: F,
    seed: u32,
    offset: u64,
    unsynced: u64,
    count: u64,
    buffer: Vec<u8>,
}

impl<F: DiskFile> Aside<F> {
    async fn push(&mut self, record: &Record) -> io::Result<()> {
        self.buffer.clear();
        record.encode(self.seed, &mut self.buffer);
        self.file.write_at(self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.unsynced += self.buffer.len() as u64;
        self.count += 1;
        if self.unsynced >= CHECKPOINT_SYNC_BYTES {
            self.file.sync().await?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

fn encode_header(base: u64, salt: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[12..14].copy_from_slice(&FORMAT.to_le_bytes());
    header[16..24].copy_from_slice(&base.to_le_bytes());
    header[24..32].copy_from_slice(&salt.to_le_bytes());
    let checksum = crc32c::crc32c(&header[CHECKED_FROM..]);
    header[8..12].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// Reads a checkpoint, hands its records to `accept` in order, and returns its base.
pub(crate) fn read<F: DiskFile>(
    file: &F,
    mut accept: impl FnMut(Record) -> Result<(), OpenError>,
) -> Result<u64, OpenError> {
    let failed = |what| move |error| OpenError::disk(what, CHECKPOINT)(error);
    let length = file.len().map_err(failed(DiskStep::Measuring))?;
    if length < HEADER_BYTES as u64 {
        return Err(OpenError::damaged(CHECKPOINT, 0, Damage::NoHeader));
    }
    let mut header = [0; HEADER_BYTES];
    file.read_at(0, &mut header)
        .map_err(failed(DiskStep::Reading))?;
    let (base, salt) = decode_header(&header)?;
    let mut offset = HEADER_BYTES as u64;
    let mut count = 0;
    loop {
        let damaged = |what| OpenError::Damaged {
            file: CHECKPOINT.to_owned(),
            offset,
            what,
        };
        let left = length - offset;
        let mut frame = [0; FRAME_BYTES];
        if left < FRAME_BYTES as u64 {
            return Err(damaged(Damage::EndsEarly));
        }
        file.read_at(offset, &mut frame)
            .map_err(failed(DiskStep::Reading))?;
        let body = Cursor(&frame).u32().unwrap_or(u32::MAX) as usize;
        if body > RECORD_BYTES_MAX || (FRAME_BYTES + body) as u64 > left {
            return Err(damaged(Damage::RecordLength));
        }
        let mut bytes = vec![0; FRAME_BYTES + body];
        file.read_at(offset, &mut bytes)
            .map_err(failed(DiskStep::Reading))?;
        let Some((record, taken)) = Record::decode(&Bytes::from(bytes), salted(salt)) else {
            return Err(damaged(Damage::RecordCheck));
        };
        if let Record::End { count: expected } = record {
            return if expected == count {
                Ok(base)
            } else {
                Err(damaged(Damage::RecordsMissing))
            };
        }
        accept(record)?;
        count += 1;
        offset += taken as u64;
    }
}

fn decode_header(header: &[u8; HEADER_BYTES]) -> Result<(u64, u64), OpenError> {
    let mut cursor = Cursor(header);
    let checked = cursor.take(MAGIC.len()) == Some(MAGIC)
        && cursor.u32() == Some(crc32c::crc32c(&header[CHECKED_FROM..]));
    let fields = (cursor.u16(), cursor.u16(), cursor.u64(), cursor.u64());
    match fields {
        (Some(FORMAT), _, Some(base), Some(salt)) if checked => Ok((base, salt)),
        (Some(found), ..) if checked => Err(OpenError::UnknownFormat {
            file: CHECKPOINT.to_owned(),
            found,
            known: FORMAT,
        }),
        _ => Err(OpenError::damaged(CHECKPOINT, 0, Damage::HeaderCheck)),
    }
}
