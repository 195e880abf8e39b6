//! Snapshot files of our own: a head, pages of pairs, and a SHA-256 over everything before it. A file
//! bears its final name only once it is whole and synced.

use sha2::{Digest, Sha256};
use thiserror::Error;
use tongban_types::GroupId;
use tongban_types::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

use crate::seams::{Disk, DiskFile};
use crate::signal::give_way;

/// Folder of the snapshot files.
pub(crate) const FOLDER: &str = "snapshots";

const MAGIC: &[u8; 8] = b"TBSNAP\x00\x01";

/// Pairs a page; with values below 32 KiB a page stays below 8 MiB.
pub(crate) const PAGE_PAIRS: usize = 256;

/// A page's bytes at most, so that a damaged length cannot make a reader take all memory.
const PAGE_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Bytes read at once while a file is checked.
const READ_BYTES: usize = 256 * 1024;

/// Bytes of the checksum at the end of a file.
const DIGEST_BYTES: usize = 32;

/// One page of pairs, in key order.
pub(crate) type Page = Vec<Pair>;

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// Why a file is not a whole snapshot of this group.
#[derive(Debug, Error)]
pub(crate) enum SnapshotError {
    /// The disk failed.
    #[error("the disk failed")]
    Disk(#[from] std::io::Error),
    /// Not whole, damaged, or of another group.
    #[error("{0}")]
    Refused(&'static str),
}

/// Where a snapshot stands: Raft index, and the group's position as `consensus` encodes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) group: GroupId,
    pub(crate) index: u64,
    pub(crate) position: Vec<u8>,
}

/// Writes a snapshot page by page.
pub(crate) struct Writer<F> {
    file: F,
    hasher: Sha256,
}

impl<F: DiskFile> Writer<F> {
    pub(crate) fn start(file: F, head: &Head) -> std::io::Result<Self> {
        let mut writer = Self {
            file,
            hasher: Sha256::new(),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&head.group.city().number().to_be_bytes());
        bytes.extend_from_slice(&head.index.to_be_bytes());
        let length = u32::try_from(head.position.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&head.position);
        writer.write(&bytes)?;
        Ok(writer)
    }

    pub(crate) fn page(&mut self, page: &[Pair]) -> std::io::Result<()> {
        let body = postcard::to_allocvec(page).map_err(std::io::Error::other)?;
        let length = u32::try_from(body.len()).map_err(std::io::Error::other)?;
        self.write(&length.to_be_bytes())?;
        self.write(&body)
    }

    /// Ends the file and makes it durable; the caller gives it its name.
    pub(crate) async fn finish(mut self) -> std::io::Result<u64> {
        self.write(&0_u32.to_be_bytes())?;
        let digest = self.hasher.finalize();
        self.file.append(&digest)?;
        self.file.sync().await?;
        self.file.len()
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.file.append(bytes).map(|_| ())
    }
}

/// Checks a file whole before anything in it is believed, page by page as it will be read; returns
/// its head and where pages begin.
pub(crate) async fn check<F: DiskFile>(
    file: &F,
    group: GroupId,
) -> Result<(Head, u64), SnapshotError> {
    let mut checksum = Checksum::of(file)?;
    while checksum.read_on()? {
        give_way().await;
    }
    let end = checksum.end;
    let (head, pages) = read_head_of(file, end, group)?;
    let mut offset = pages;
    while let Some((_, next)) = read_page(file, offset)? {
        offset = next;
        give_way().await;
    }
    if offset + 4 != end {
        return Err(SnapshotError::Refused("it goes on behind its last page"));
    }
    Ok((head, pages))
}

/// A file read piece by piece and compared with the checksum at its end.
pub(crate) struct Checksum<'a, F> {
    file: &'a F,
    hasher: Sha256,
    buffer: Vec<u8>,
    offset: u64,
    end: u64,
}

impl<'a, F: DiskFile> Checksum<'a, F> {
    pub(crate) fn of(file: &'a F) -> Result<Self, SnapshotError> {
        Ok(Self {
            file,
            hasher: Sha256::new(),
            buffer: vec![0; READ_BYTES],
            offset: 0,
            end: end_of(file)?,
        })
    }

    /// Reads the next piece; `false` once all is read and fits.
    pub(crate) fn read_on(&mut self) -> Result<bool, SnapshotError> {
        let left = self.end - self.offset;
        if left == 0 {
            let mut digest = [0; DIGEST_BYTES];
            self.file.read_at(self.end, &mut digest)?;
            return if self.hasher.finalize_reset()[..] == digest {
                Ok(false)
            } else {
                Err(SnapshotError::Refused("its checksum does not fit"))
            };
        }
        let length = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
        let piece = &mut self.buffer[..length];
        self.file.read_at(self.offset, piece)?;
        self.hasher.update(piece);
        self.offset += length as u64;
        Ok(true)
    }
}

/// Where the checksum of a file stands.
fn end_of<F: DiskFile>(file: &F) -> Result<u64, SnapshotError> {
    file.len()?
        .checked_sub(DIGEST_BYTES as u64)
        .ok_or(SnapshotError::Refused("shorter than its checksum"))
}

/// The head of a group's file and where pages begin, without checking the rest.
pub(crate) fn look<F: DiskFile>(file: &F, group: GroupId) -> Result<(Head, u64), SnapshotError> {
    read_head_of(file, end_of(file)?, group)
}

fn read_head_of<F: DiskFile>(
    file: &F,
    end: u64,
    group: GroupId,
) -> Result<(Head, u64), SnapshotError> {
    let (head, pages) = read_head(file, end)?;
    if head.group == group {
        Ok((head, pages))
    } else {
        Err(SnapshotError::Refused("it is of another group"))
    }
}

/// The head of a file, without checking the rest.
pub(crate) fn read_head<F: DiskFile>(file: &F, end: u64) -> Result<(Head, u64), SnapshotError> {
    const FIXED: usize = 8 + 4 + 8 + 4;
    if end < FIXED as u64 {
        return Err(SnapshotError::Refused("shorter than its head"));
    }
    let mut fixed = [0; FIXED];
    file.read_at(0, &mut fixed)?;
    if &fixed[..8] != MAGIC {
        return Err(SnapshotError::Refused(
            "not a snapshot file of this version",
        ));
    }
    let number =
        |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let city = tongban_types::CityCode::new(number(8))
        .map_err(|_| SnapshotError::Refused("it names no city"))?;
    let index = u64::from(number(12)) << 32 | u64::from(number(16));
    let length = number(20);
    if u64::from(length) > end - FIXED as u64 || length > 64 * 1024 {
        return Err(SnapshotError::Refused(
            "its position is longer than the file",
        ));
    }
    let mut position = vec![0; length as usize];
    file.read_at(FIXED as u64, &mut position)?;
    let head = Head {
        group: GroupId(city),
        index,
        position,
    };
    Ok((head, FIXED as u64 + u64::from(length)))
}

/// The page at an offset and the offset behind it; `None` at the end.
pub(crate) fn read_page<F: DiskFile>(
    file: &F,
    offset: u64,
) -> Result<Option<(Page, u64)>, SnapshotError> {
    let mut length = [0; 4];
    read_inside(file, offset, &mut length)?;
    let length = u32::from_be_bytes(length);
    if length == 0 {
        return Ok(None);
    }
    if length > PAGE_BYTES_MAX {
        return Err(SnapshotError::Refused("a page is longer than allowed"));
    }
    let mut body = vec![0; length as usize];
    read_inside(file, offset + 4, &mut body)?;
    let page: Page = postcard::from_bytes(&body)
        .map_err(|_| SnapshotError::Refused("a page does not decode"))?;
    let fits = |(key, value): &(Vec<u8>, Vec<u8>)| {
        key.len() <= KEY_BYTES_MAX && value.len() <= VALUE_BYTES_MAX
    };
    if !page.iter().all(fits) {
        return Err(SnapshotError::Refused("a pair no state holds"));
    }
    Ok(Some((page, offset + 4 + u64::from(length))))
}

/// A place behind the end is a fault of the file, not of the disk.
fn read_inside<F: DiskFile>(file: &F, at: u64, buffer: &mut [u8]) -> Result<(), SnapshotError> {
    file.read_at(at, buffer).map_err(|error| {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            return SnapshotError::Refused("a page reaches behind its end");
        }
        error.into()
    })
}

/// Endings of a finished and of an unfinished file.
const SNAPSHOT: &str = "snap";
const PART: &str = "part";

fn ends(name: &str, ending: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, found)| found == ending)
}

/// Name of the snapshot of a group at an index.
pub(crate) fn final_name(group: GroupId, index: u64) -> String {
    format!("{FOLDER}/{group}-{index:016}.{SNAPSHOT}")
}

/// Name of a file being written or received.
pub(crate) fn part_name(group: GroupId, number: u64) -> String {
    format!("{FOLDER}/{group}-{number:016}.{PART}")
}

/// The group's finished files, newest first, and its unfinished ones.
pub(crate) fn files_of<D: Disk>(
    disk: &D,
    group: GroupId,
) -> std::io::Result<(Vec<String>, Vec<String>)> {
    let prefix = format!("{group}-");
    let of_group = disk.list(FOLDER)?.into_iter().filter(|name| {
        name.rsplit('/')
            .next()
            .is_some_and(|base| base.starts_with(&prefix))
    });
    let with_folder = of_group.map(|name| {
        if name.starts_with(FOLDER) {
            name
        } else {
            format!("{FOLDER}/{name}")
        }
    });
    let (mut done, parts): (Vec<String>, Vec<String>) = with_folder
        .filter(|name| ends(name, SNAPSHOT) || ends(name, PART))
        .partition(|name| ends(name, SNAPSHOT));
    done.sort_unstable_by(|a, b| b.cmp(a));
    Ok((done, parts))
}
