//! An open file of a simulated disk.

use std::io;

use tongban_runtime::seams::DiskFile;

use super::image::end_of;
use super::inode::Operation;
use super::{FileId, OpenHandle, SimDisk};

/// An open file. Clones share it; it fails once its machine was switched off.
#[derive(Clone, Debug)]
pub struct SimFile {
    disk: SimDisk,
    id: FileId,
    /// Keeps the file after its name is gone.
    _handle: OpenHandle,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, id: FileId, handle: OpenHandle) -> Self {
        Self {
            disk,
            id,
            _handle: handle,
        }
    }

    fn perform(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.disk.writable()?;
        let number = state.next_operation();
        state.file(self.id).perform(number, operation);
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.running()?.file(self.id).live().length())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.running()?;
        if state.file(self.id).live().read(offset, buffer) {
            return Ok(());
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if end_of(offset, bytes.len()).is_none() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let bytes = bytes.to_vec();
        self.perform(Operation::Write { offset, bytes })
    }

    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.len()?;
        self.write_at(offset, bytes)?;
        Ok(offset)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.perform(Operation::Allocate(length))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.perform(Operation::Truncate(length))
    }

    async fn sync(&self) -> io::Result<()> {
        let id = self.id;
        self.disk
            .sync(
                move |state| state.files.get(&id).is_some_and(|file| file.pending() > 0),
                move |state, covered| {
                    // A file that was removed and closed meanwhile has nothing left to keep.
                    if let Some(file) = state.files.get_mut(&id) {
                        file.sync(covered);
                    }
                },
            )
            .await
    }
}
