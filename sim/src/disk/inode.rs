//! One file: what reads see, what is durable, and the operations between the two.

use std::sync::Arc;

use super::image::Image;
use super::{DiskFaults, OpenHandle, OpenHandles};
use crate::runtime::Dice;

/// What a device writes whole or not at all.
pub(crate) const SECTOR: usize = 512;

/// An operation that a sync makes durable.
#[derive(Debug)]
pub(crate) enum Operation {
    /// Bytes at an offset.
    Write { offset: u64, bytes: Vec<u8> },
    /// The length becomes at least this.
    Allocate(u64),
    /// The length becomes this.
    Truncate(u64),
}

impl Operation {
    fn apply(&self, image: &mut Image) {
        match self {
            Self::Write { offset, bytes } => image.write(*offset, bytes),
            Self::Allocate(length) => image.set_length(image.length().max(*length)),
            Self::Truncate(length) => image.set_length(*length),
        }
    }

    /// Applies those sectors of the operation that `keeps` names by number; operations without
    /// bytes are one sector. Returns how many there are and how many were kept.
    fn apply_sectors(
        &self,
        image: &mut Image,
        mut keeps: impl FnMut(usize) -> bool,
    ) -> (usize, usize) {
        let Self::Write { offset, bytes } = self else {
            let is_kept = keeps(0);
            if is_kept {
                self.apply(image);
            }
            return (1, usize::from(is_kept));
        };
        let (mut start, mut sectors, mut kept) = (0, 0, 0);
        while start < bytes.len() {
            let at = offset + u64::try_from(start).expect("a write is in memory");
            let within = usize::try_from(at % SECTOR as u64).expect("less than a sector");
            let end = bytes.len().min(start + SECTOR - within);
            if keeps(sectors) {
                image.write(at, &bytes[start..end]);
                kept += 1;
            }
            sectors += 1;
            start = end;
        }
        (sectors, kept)
    }

    fn sectors(&self) -> usize {
        let mut scratch = Image::default();
        self.apply_sectors(&mut scratch, |_| false).0
    }
}

/// One file.
#[derive(Debug, Default)]
pub(crate) struct Inode {
    live: Image,
    durable: Image,
    pending: Vec<(u64, Operation)>,
    handles: OpenHandles,
}

impl Inode {
    /// An empty file with its first handle.
    pub(crate) fn opened() -> (Self, OpenHandle) {
        let mut inode = Self::default();
        let handle = inode.open();
        (inode, handle)
    }

    /// A handle that keeps the file, also without a name.
    pub(crate) fn open(&mut self) -> OpenHandle {
        if let Some(handle) = self.handles.upgrade() {
            return handle;
        }
        let handle = OpenHandle::default();
        self.handles = Arc::downgrade(&handle);
        handle
    }

    /// Whether a handle is open.
    pub(crate) fn is_open(&self) -> bool {
        self.handles.strong_count() > 0
    }

    /// What reads see.
    pub(crate) fn live(&self) -> &Image {
        &self.live
    }

    /// Unsynced operations.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Does an operation, not yet durable.
    pub(crate) fn perform(&mut self, number: u64, operation: Operation) {
        operation.apply(&mut self.live);
        self.pending.push((number, operation));
    }

    /// Makes the operations up to a number durable.
    pub(crate) fn sync(&mut self, covered: u64) {
        let count = self
            .pending
            .partition_point(|(number, _)| *number <= covered);
        for (_, operation) in self.pending.drain(..count) {
            operation.apply(&mut self.durable);
        }
    }

    /// Keeps or loses unsynced operations by the draw: none of them, the first ones, the first ones
    /// and a part of the next, or any sectors of any of them.
    pub(crate) fn crash(&mut self, dice: &mut Dice, faults: &mut DiskFaults) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            match dice.below(4) {
                0 => faults.lost_all += 1,
                1 => self.keep_first(&pending, dice, faults),
                2 => self.keep_torn(&pending, dice, faults),
                _ => self.keep_sectors(&pending, dice, faults),
            }
        }
        self.live = self.durable.clone();
        self.handles = OpenHandles::new();
    }

    fn keep_first(
        &mut self,
        pending: &[(u64, Operation)],
        dice: &mut Dice,
        faults: &mut DiskFaults,
    ) {
        let kept = dice.index(pending.len() + 1);
        for (_, operation) in &pending[..kept] {
            operation.apply(&mut self.durable);
        }
        match kept {
            0 => faults.lost_all += 1,
            kept if kept == pending.len() => faults.kept_all += 1,
            _ => faults.kept_prefix += 1,
        }
    }

    fn keep_torn(
        &mut self,
        pending: &[(u64, Operation)],
        dice: &mut Dice,
        faults: &mut DiskFaults,
    ) {
        let whole = dice.index(pending.len());
        for (_, operation) in &pending[..whole] {
            operation.apply(&mut self.durable);
        }
        let torn = &pending[whole].1;
        let cut = dice.index(torn.sectors());
        torn.apply_sectors(&mut self.durable, |sector| sector < cut);
        match (whole, cut) {
            (0, 0) => faults.lost_all += 1,
            (_, 0) => faults.kept_prefix += 1,
            _ => faults.torn += 1,
        }
    }

    fn keep_sectors(
        &mut self,
        pending: &[(u64, Operation)],
        dice: &mut Dice,
        faults: &mut DiskFaults,
    ) {
        let (mut sectors, mut kept) = (0, 0);
        for (_, operation) in pending {
            let (of, kept_of) = operation.apply_sectors(&mut self.durable, |_| dice.coin());
            sectors += of;
            kept += kept_of;
        }
        match kept {
            0 => faults.lost_all += 1,
            kept if kept == sectors => faults.kept_all += 1,
            _ => faults.lost_sectors += 1,
        }
    }
}
