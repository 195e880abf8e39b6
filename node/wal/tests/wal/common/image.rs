//! What a power cut leaves: every durable change, and of the others any: each 512-byte sector of a
//! write, each change of length, and each change of a name by itself.

use std::collections::BTreeMap;

use super::disk::Change;
use super::random::Random;

const SECTOR: usize = 512;

/// Writes bytes, growing the file with zeros.
pub fn write(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let from = usize::try_from(offset).expect("files of tests are small");
    if file.len() < from + bytes.len() {
        file.resize(from + bytes.len(), 0);
    }
    file[from..from + bytes.len()].copy_from_slice(bytes);
}

/// Sets the length of a file.
pub fn resize(file: &mut Vec<u8>, length: u64) {
    file.resize(
        usize::try_from(length).expect("files of tests are small"),
        0,
    );
}

/// How much of what is not durable survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    All,
    /// Everything, as when only the process is killed.
    Nothing,
    /// Each change, and each sector of a write, with an even chance.
    Some,
    /// All but the first unsynced sector of each file: later bytes survive earlier ones.
    First,
}

/// A disk as far as it is durable, and the changes since.
#[derive(Clone, Debug, Default)]
pub struct Image {
    names: BTreeMap<String, usize>,
    files: BTreeMap<usize, Vec<u8>>,
    loose: Vec<(usize, Change)>,
    step: usize,
}

impl Image {
    /// A disk with these durable files.
    pub fn new(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut image = Self::default();
        for (number, (name, bytes)) in files.iter().enumerate() {
            image.names.insert(name.clone(), number);
            image.files.insert(number, bytes.clone());
        }
        image
    }

    /// Takes the next change of a journal.
    pub fn take(&mut self, change: &Change) {
        match change {
            Change::FolderSynced { began } => {
                self.settle(*began, |change| file_of(change).is_none());
            }
            Change::Synced { file, began } => {
                self.settle(*began, |change| file_of(change) == Some(*file));
            }
            change => self.loose.push((self.step, change.clone())),
        }
        self.step += 1;
    }

    fn settle(&mut self, began: usize, concerns: impl Fn(&Change) -> bool) {
        for (step, change) in std::mem::take(&mut self.loose) {
            if step < began && concerns(&change) {
                self.apply(&change);
            } else {
                self.loose.push((step, change));
            }
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Create { name, file } => {
                self.names.insert(name.clone(), *file);
            }
            Change::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Change::Remove { name } => {
                self.names.remove(name);
            }
            Change::Resize { file, length } => {
                resize(self.files.entry(*file).or_default(), *length);
            }
            Change::Write {
                file,
                offset,
                bytes,
            } => write(self.files.entry(*file).or_default(), *offset, bytes),
            Change::FolderSynced { .. } | Change::Synced { .. } => {}
        }
    }

    /// The files after a power cut now.
    pub fn cut(&self, loss: Loss, random: &mut Random) -> BTreeMap<String, Vec<u8>> {
        let mut left = self.clone();
        let mut spared = Vec::new();
        for (_, change) in std::mem::take(&mut left.loose) {
            for piece in pieces(&change) {
                let survives = match loss {
                    Loss::All => false,
                    Loss::Nothing => true,
                    Loss::Some => random.one_in(2),
                    Loss::First => match file_of(&piece) {
                        Some(file) if spared.contains(&file) => true,
                        Some(file) => {
                            spared.push(file);
                            false
                        }
                        None => true,
                    },
                };
                if survives {
                    left.apply(&piece);
                }
            }
        }
        let content = |file| left.files.get(file).cloned().unwrap_or_default();
        let named = left.names.iter();
        named
            .map(|(name, file)| (name.clone(), content(file)))
            .collect()
    }
}

fn file_of(change: &Change) -> Option<usize> {
    match change {
        Change::Resize { file, .. } | Change::Write { file, .. } | Change::Synced { file, .. } => {
            Some(*file)
        }
        Change::Create { .. }
        | Change::Rename { .. }
        | Change::Remove { .. }
        | Change::FolderSynced { .. } => None,
    }
}

/// A write falls apart at the sectors of the disk.
fn pieces(change: &Change) -> Vec<Change> {
    let Change::Write {
        file,
        offset,
        bytes,
    } = change
    else {
        return vec![change.clone()];
    };
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let place = *offset + at as u64;
        let in_sector = usize::try_from(place).expect("files of tests are small") % SECTOR;
        let length = (SECTOR - in_sector).min(bytes.len() - at);
        pieces.push(Change::Write {
            file: *file,
            offset: place,
            bytes: bytes[at..at + length].to_vec(),
        });
        at += length;
    }
    pieces
}
