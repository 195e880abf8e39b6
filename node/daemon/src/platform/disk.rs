//! The `Disk` seam over a folder of the file system. Reads and writes go to the page cache; only
//! syncs touch the device, on a thread made for waiting.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use tokio::task::spawn_blocking;
use tongban_runtime::seams::{Disk, DiskFile};

/// Zeros written at once where the file system cannot reserve space.
const ZEROS_BYTES: usize = 256 * 1024;

/// A name's longest part: file systems take 255 bytes.
const PART_BYTES_MAX: usize = 128;

/// Buckets of the time a sync takes, in seconds: from a disk with a safe cache to one that holds up
/// elections.
const SYNC_SECONDS: [f64; 10] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0,
];

/// A folder of files.
#[derive(Clone, Debug)]
pub(crate) struct FileDisk {
    root: Arc<Path>,
    syncs: Histogram,
}

/// An open file of a [`FileDisk`].
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    inner: Arc<Inner>,
    syncs: Histogram,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Held while the end is looked up and written at, so that two appends never share a place.
    end: Mutex<()>,
}

impl FileDisk {
    /// The disk in an existing folder.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.into(),
            syncs: Histogram::new(SYNC_SECONDS),
        }
    }

    /// How long each sync of a file took. Clones count together.
    pub(crate) fn sync_times(&self) -> Histogram {
        self.syncs.clone()
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let parts: Vec<&str> = name.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_part(part)) {
            return Err(malformed(name));
        }
        Ok(self.root.join(name))
    }

    fn folder(&self, folder: &str) -> io::Result<PathBuf> {
        if folder.is_empty() {
            return Ok(self.root.to_path_buf());
        }
        if is_part(folder) {
            Ok(self.root.join(folder))
        } else {
            Err(malformed(folder))
        }
    }

    fn make_folder_of(path: &Path) -> io::Result<()> {
        let folder = path.parent().expect("a name was joined to the root");
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }
}

/// Letters, digits, `.`, `_` and `-`; not hidden, and so never `.` or `..`.
fn is_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=PART_BYTES_MAX).contains(&part.len())
        && !part.starts_with('.')
        && part.bytes().all(allowed)
}

fn malformed(name: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{name:?} is no name of a file here"),
    )
}

impl Disk for FileDisk {
    type File = OpenFile;

    fn open(&self, name: &str) -> io::Result<OpenFile> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.path(name)?)?;
        Ok(OpenFile::of(file, &self.syncs))
    }

    fn create(&self, name: &str) -> io::Result<OpenFile> {
        let path = self.path(name)?;
        Self::make_folder_of(&path)?;
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(OpenFile::of(file, &self.syncs))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let to = self.path(to)?;
        Self::make_folder_of(&to)?;
        fs::rename(self.path(from)?, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name)?)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.folder(folder)?) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            // What others left in the folder under names we never give is not ours to see.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if is_part(&name) && entry.file_type()?.is_file() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn free_bytes(&self, folder: &str) -> io::Result<u64> {
        let disk = match statvfs(&self.folder(folder)?) {
            // It comes into being with its first file, on the disk of the folder above.
            Err(Errno::NOENT) => statvfs(&*self.root)?,
            other => other?,
        };
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// The folder's own name may be as new as what is in it, so the folder above is synced too.
    async fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let path = self.folder(folder)?;
        let root = self.root.clone();
        wait_for(move || {
            match File::open(&path) {
                Ok(folder) => folder.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if *path == *root {
                Ok(())
            } else {
                File::open(root)?.sync_all()
            }
        })
        .await
    }
}

impl OpenFile {
    fn of(file: File, syncs: &Histogram) -> Self {
        Self {
            syncs: syncs.clone(),
            inner: Arc::new(Inner {
                file,
                end: Mutex::new(()),
            }),
        }
    }

    fn write_zeros(&self, from: u64, until: u64) -> io::Result<()> {
        let zeros = vec![0; ZEROS_BYTES];
        let mut at = from;
        while at < until {
            let left = usize::try_from(until - at)
                .unwrap_or(usize::MAX)
                .min(ZEROS_BYTES);
            self.inner.file.write_all_at(&zeros[..left], at)?;
            at += left as u64;
        }
        Ok(())
    }
}

impl DiskFile for OpenFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.inner.file.read_exact_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.inner.file.write_all_at(bytes, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let _alone = self
            .inner
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let end = self.len()?;
        self.write_at(end, bytes)?;
        Ok(end)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        let _alone = self
            .inner
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let end = self.len()?;
        if length <= end {
            return Ok(());
        }
        match fallocate(&self.inner.file, FallocateFlags::empty(), 0, length) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.write_zeros(end, length),
            other => Ok(other?),
        }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.inner.file.set_len(length)
    }

    async fn sync(&self) -> io::Result<()> {
        let inner = self.inner.clone();
        let syncs = self.syncs.clone();
        wait_for(move || {
            let began = Instant::now();
            let synced = inner.file.sync_data();
            syncs.observe(began.elapsed().as_secs_f64());
            synced
        })
        .await
    }
}

async fn wait_for(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|gone| Err(io::Error::other(gone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> (tempfile::TempDir, FileDisk) {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(folder.path());
        (folder, disk)
    }

    #[tokio::test]
    async fn what_is_written_is_read_by_another_handle() {
        let (_folder, disk) = disk();
        let file = disk.create("wal/1.log").unwrap();
        file.write_at(3, b"abc").unwrap();
        assert_eq!(file.append(b"de").unwrap(), 6);
        file.sync().await.unwrap();
        disk.sync_folder("wal").await.unwrap();
        disk.sync_folder("").await.unwrap();

        let again = disk.open("wal/1.log").unwrap();
        let mut bytes = [9; 8];
        again.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"\0\0\0abcde");
        let past = again.read_at(4, &mut bytes).unwrap_err();
        assert_eq!(past.kind(), io::ErrorKind::UnexpectedEof);
        again.truncate(2).unwrap();
        assert_eq!(file.len().unwrap(), 2);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_room_of_the_one_above() {
        let (_folder, disk) = disk();
        assert!(disk.free_bytes("snapshots").unwrap() > 0);
        disk.create("snapshots/1").unwrap();
        assert!(disk.free_bytes("snapshots").unwrap() > 0);
        assert!(disk.free_bytes("../snapshots").is_err());
    }

    #[test]
    fn reserved_space_reads_as_zeros_and_keeps_what_was_there() {
        let (_folder, disk) = disk();
        let file = disk.create("a").unwrap();
        file.append(b"kept").unwrap();
        file.allocate(1 << 20).unwrap();
        assert_eq!(file.len().unwrap(), 1 << 20);
        file.allocate(8).unwrap();
        assert_eq!(file.len().unwrap(), 1 << 20);
        let mut bytes = [9; 6];
        file.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"kept\0\0");
        let other = disk.create("b").unwrap();
        other.write_zeros(0, ZEROS_BYTES as u64 + 5).unwrap();
        assert_eq!(other.len().unwrap(), ZEROS_BYTES as u64 + 5);
    }

    #[test]
    fn two_appends_at_once_never_share_a_place() {
        let (_folder, disk) = disk();
        let file = disk.create("a").unwrap();
        let mut places: Vec<u64> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| [(); 50].map(|()| file.append(b"12345678").unwrap())))
                .collect();
            writers
                .into_iter()
                .flat_map(|writer| writer.join().unwrap())
                .collect()
        });
        places.sort_unstable();
        assert_eq!(
            places,
            (0..200).map(|place| place * 8).collect::<Vec<u64>>()
        );
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let (_folder, disk) = disk();
        for name in [
            "", "..", "../x", "a/../b", "/etc/x", "a/b/c", ".x", "a//b", "a\0b", "名",
        ] {
            let error = disk.create(name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        assert!(disk.list("..").is_err());
    }

    #[test]
    fn names_are_listed_sorted_and_taken_once() {
        let (_folder, disk) = disk();
        assert_eq!(disk.list("wal").unwrap(), Vec::<String>::new());
        disk.create("wal/b").unwrap();
        disk.create("wal/a").unwrap();
        let taken = disk.create("wal/a").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        disk.rename("wal/b", "wal/c").unwrap();
        assert_eq!(disk.list("wal").unwrap(), ["a", "c"]);
        disk.remove("wal/a").unwrap();
        assert_eq!(
            disk.open("wal/a").unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
