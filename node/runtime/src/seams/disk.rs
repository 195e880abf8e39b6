//! The file system as the log and the snapshots see it: flat names in one folder per use, bytes at
//! offsets, and an explicit sync. Writes go to the page cache and may be lost, torn or reordered
//! until a sync of the file returns; a new, renamed or removed name may be lost until a sync of the
//! folder returns. Plain reads and writes do not wait for a device, so only syncs are asynchronous.

use std::io;

/// One folder of files. Names are relative, `/`-separated, at most two levels deep
/// (`wal/0000000000000001.log`); folders come into being with their first file.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;

    /// Opens an existing file for reading and writing; `NotFound` if there is none.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Creates an empty file; `AlreadyExists` if the name is taken.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Renames a file over whatever bore the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Whoever has it open goes on reading it.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Names of the files in a folder, sorted; empty if the folder does not exist.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Bytes that files of a folder may still take; `u64::MAX` where nothing bounds them.
    fn free_bytes(&self, _folder: &str) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    /// Makes creations, renames and removals in a folder durable.
    fn sync_folder(&self, folder: &str) -> impl Future<Output = io::Result<()>> + Send;
}

/// An open file. Clones share the file.
pub trait DiskFile: Clone + Send + Sync + 'static {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads exactly `buffer.len()` bytes at `offset`; `UnexpectedEof` past the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all bytes at `offset`, growing the file with zeros if needed.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Writes all bytes at the end and returns the offset they start at.
    fn append(&self, bytes: &[u8]) -> io::Result<u64>;

    /// Reserves `length` bytes that read as zeros, so that later writes within neither run out of
    /// space nor change the length. A file system may still note at a sync which of them were
    /// written.
    fn allocate(&self, length: u64) -> io::Result<()>;

    /// Cuts or grows the file to `length`.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes every earlier write to this file durable. After an error the caller must stop the
    /// node: the kernel may have dropped the pages it could not write.
    fn sync(&self) -> impl Future<Output = io::Result<()>> + Send;
}
