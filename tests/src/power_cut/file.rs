//! One recorded file: what of it is on the device, and the changes that are not yet.

use super::dice::Dice;
use super::image::Loss;

/// What a device writes whole or not at all.
const SECTOR_BYTES: usize = 512;

const KEEP_SIZE: u32 = 1;
const PUNCH_HOLE: u32 = 2;
const ZERO_RANGE: u32 = 16;

/// A file's content, durable and pending.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedFile {
    durable: Vec<u8>,
    pending: Vec<(u64, Change)>,
}

/// A change of content.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { length: usize },
    Allocate { at: usize, length: usize, mode: u32 },
}

impl Change {
    /// Whether the modes of an allocation are among those played here.
    pub(crate) fn is_known_mode(mode: u32) -> bool {
        mode & !(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE) == 0
    }

    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(content, *at, bytes),
            Self::Truncate { length } => content.resize(*length, 0),
            Self::Allocate { at, length, mode } => {
                let end = at + length;
                if mode & KEEP_SIZE == 0 && content.len() < end {
                    content.resize(end, 0);
                }
                if mode & (PUNCH_HOLE | ZERO_RANGE) != 0 {
                    let (from, end) = ((*at).min(content.len()), end.min(content.len()));
                    content[from..end].fill(0);
                }
            }
        }
    }

    /// Applies a write sector by sector, some of them lost; anything else whole.
    fn apply_torn(&self, content: &mut Vec<u8>, dice: &mut Dice) {
        let Self::Write { at, bytes } = self else {
            return self.apply(content);
        };
        let mut from = *at;
        let end = at + bytes.len();
        while from < end {
            let until = end.min((from / SECTOR_BYTES + 1) * SECTOR_BYTES);
            if !dice.once_in(3) {
                write(content, from, &bytes[from - at..until - at]);
            }
            from = until;
        }
    }
}

fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if content.len() < at {
        content.resize(at, 0);
    }
    let within = bytes.len().min(content.len() - at);
    let (over, beyond) = bytes.split_at(within);
    content[at..at + within].copy_from_slice(over);
    content.extend_from_slice(beyond);
}

impl RecordedFile {
    /// A file whose content is on the device.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            durable: bytes.to_vec(),
            pending: Vec::new(),
        }
    }

    pub(crate) fn change(&mut self, moment: u64, change: Change) {
        self.pending.push((moment, change));
    }

    /// A sync that began at `moment` succeeded.
    pub(crate) fn sync(&mut self, moment: u64) {
        let covered = self.pending.partition_point(|(made, _)| *made < moment);
        for (_, change) in self.pending.drain(..covered) {
            change.apply(&mut self.durable);
        }
    }

    /// The content as the process itself sees it.
    pub(crate) fn cached(&self) -> Vec<u8> {
        self.after_cut(Loss::Nothing, &mut Dice::new(0))
    }

    /// The content a power cut may leave.
    pub(crate) fn after_cut(&self, loss: Loss, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.durable.clone();
        let kept = dice.below(self.pending.len() + 1);
        for (number, (_, change)) in self.pending.iter().enumerate() {
            let keep = match loss {
                Loss::Everything => false,
                Loss::Nothing | Loss::Sectors => true,
                Loss::Suffix => number < kept,
                Loss::Some => dice.once_in(2),
            };
            if loss == Loss::Sectors {
                change.apply_torn(&mut content, dice);
            } else if keep {
                change.apply(&mut content);
            }
        }
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> RecordedFile {
        let mut file = RecordedFile::default();
        file.change(
            1,
            Change::Write {
                at: 0,
                bytes: vec![1; 2000],
            },
        );
        file.change(
            2,
            Change::Write {
                at: 2000,
                bytes: vec![2; 2000],
            },
        );
        file
    }

    #[test]
    fn a_sync_covers_what_was_written_before_it_began() {
        let mut file = written();
        file.sync(2);
        let left = file.after_cut(Loss::Everything, &mut Dice::new(1));
        assert_eq!(left, vec![1; 2000]);
        assert_eq!(file.cached().len(), 4000);
    }

    #[test]
    fn every_loss_but_none_loses_something_sometime() {
        let whole = written().cached();
        for loss in Loss::ALL {
            let lossy =
                (0..64).any(|seed| written().after_cut(loss, &mut Dice::new(seed)) != whole);
            assert_eq!(lossy, loss != Loss::Nothing, "{loss:?}");
        }
    }

    #[test]
    fn a_torn_write_is_torn_between_sectors_only() {
        let mut file = RecordedFile::default();
        file.change(
            1,
            Change::Write {
                at: 0,
                bytes: vec![1; 4096],
            },
        );
        file.sync(2);
        file.change(
            3,
            Change::Write {
                at: 100,
                bytes: vec![2; 3000],
            },
        );
        let mut torn = false;
        for seed in 0..32 {
            let left = file.after_cut(Loss::Sectors, &mut Dice::new(seed));
            for (number, sector) in left.chunks(SECTOR_BYTES).enumerate() {
                let first = number * SECTOR_BYTES;
                let written = &sector[100_usize.saturating_sub(first).min(SECTOR_BYTES)
                    ..3100_usize.saturating_sub(first).min(SECTOR_BYTES)];
                assert!(written.iter().all(|byte| Some(byte) == written.first()));
                torn |= written.first() == Some(&1);
            }
        }
        assert!(torn);
    }

    #[test]
    fn an_allocation_grows_the_file_unless_told_not_to() {
        let mut file = written();
        file.change(
            3,
            Change::Allocate {
                at: 0,
                length: 8000,
                mode: KEEP_SIZE,
            },
        );
        assert_eq!(file.cached().len(), 4000);
        file.change(
            4,
            Change::Allocate {
                at: 0,
                length: 8000,
                mode: 0,
            },
        );
        assert_eq!(file.cached().len(), 8000);
        file.change(5, Change::Truncate { length: 10 });
        assert_eq!(file.cached(), vec![1; 10]);
    }
}
