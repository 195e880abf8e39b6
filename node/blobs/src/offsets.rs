//! How far a growing file is durable: records of 16 bytes behind one another, each synced after the
//! bytes it speaks of. A torn last record does not check and the one before it counts. What the
//! file holds beyond is cut at the next start: it may be zeros after a power cut.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::files;
use crate::limits::OFFSET_RECORDS_MAX;

const RECORD_BYTES: usize = 16;

/// The records of one growing file.
#[derive(Debug)]
pub(crate) struct Offsets {
    path: PathBuf,
    file: File,
    records: u64,
}

impl Offsets {
    /// Begins with none; the file itself becomes durable with its folder.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = files::create(path)?;
        file.sync_all()?;
        Ok(Self {
            path: path.to_owned(),
            file,
            records: 0,
        })
    }

    /// Reads them back: the last that checks; 0 without any.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let file = files::open(path, true)?;
        let length = file.metadata()?.len();
        let (mut records, mut last) = (0, 0);
        let mut record = [0; RECORD_BYTES];
        while (records + 1) * RECORD_BYTES as u64 <= length {
            file.read_exact_at(&mut record, records * RECORD_BYTES as u64)?;
            let Some(offset) = read(&record) else { break };
            last = offset;
            records += 1;
        }
        let path = path.to_owned();
        let opened = Self {
            path,
            file,
            records,
        };
        Ok((opened, last))
    }

    /// Notes, durably, that everything below `offset` is durable.
    pub(crate) fn note(&mut self, offset: u64) -> io::Result<()> {
        if self.records >= OFFSET_RECORDS_MAX {
            files::write_whole(&self.path, &record(offset))?;
            self.file = files::open(&self.path, false)?;
            self.records = 1;
            return Ok(());
        }
        let at = self.records * RECORD_BYTES as u64;
        self.file.write_all_at(&record(offset), at)?;
        self.file.sync_data()?;
        self.records += 1;
        Ok(())
    }
}

fn record(offset: u64) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    let offset = offset.to_le_bytes();
    record[..8].copy_from_slice(&offset);
    record[8..].copy_from_slice(&blake3::hash(&offset).as_bytes()[..8]);
    record
}

fn read(bytes: &[u8; RECORD_BYTES]) -> Option<u64> {
    let offset = u64::from_le_bytes(bytes[..8].try_into().ok()?);
    (record(offset) == *bytes).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_record_leaves_the_one_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.at");
        let mut offsets = Offsets::create(&path).unwrap();
        for offset in [100, 5_000, 1 << 40] {
            offsets.note(offset).unwrap();
        }
        assert_eq!(Offsets::open(&path).unwrap().1, 1 << 40);
        for cut in 1..16 {
            let whole = std::fs::read(&path).unwrap();
            std::fs::write(&path, &whole[..48 - cut]).unwrap();
            assert_eq!(Offsets::open(&path).unwrap().1, 5_000, "cut by {cut}");
            let mut zeros = whole.clone();
            zeros[48 - cut..].fill(0);
            std::fs::write(&path, &zeros).unwrap();
            assert_eq!(Offsets::open(&path).unwrap().1, 5_000, "cut by {cut}");
            std::fs::write(&path, &whole).unwrap();
        }
        let (mut again, _) = Offsets::open(&path).unwrap();
        again.note(7).unwrap();
        assert_eq!(Offsets::open(&path).unwrap().1, 7);
    }

    #[test]
    fn the_file_of_records_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.at");
        let mut offsets = Offsets::create(&path).unwrap();
        offsets.records = OFFSET_RECORDS_MAX - 1;
        offsets.note(1).unwrap();
        offsets.note(2).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 16);
        offsets.note(3).unwrap();
        assert_eq!(Offsets::open(&path).unwrap().1, 3);
    }
}
