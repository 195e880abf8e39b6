//! Looking for words in a folder, in the spellings they would have slipped through in: UTF-8, UTF-16, JSON escapes,
//! hexadecimal digits, base64 at every alignment.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use aho_corasick::AhoCorasick;
use anyhow::{Context as _, ensure};
use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

/// A spelling shorter than this would be found by chance.
const SPELLING_BYTES_MIN: usize = 6;

/// Words that are looked for.
#[derive(Debug)]
pub(super) struct Search {
    automaton: AhoCorasick,
    /// Of each spelling, which word it spells.
    words: Vec<usize>,
}

/// What a search went through, and the words it met.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// By their places in the list that was looked for.
    pub(super) words: BTreeSet<usize>,
    /// Bytes looked at.
    pub(super) bytes: u64,
}

impl Search {
    /// Looks for these.
    pub(super) fn new(words: &[&str]) -> anyhow::Result<Self> {
        let spelled: Vec<(usize, Vec<u8>)> = words
            .iter()
            .enumerate()
            .flat_map(|(place, word)| spellings(word).map(move |spelling| (place, spelling)))
            .collect();
        let shortest = spelled.iter().map(|(_, spelling)| spelling.len()).min();
        ensure!(
            shortest >= Some(SPELLING_BYTES_MIN),
            "what is looked for is too short: {words:?}"
        );
        let automaton = AhoCorasick::new(spelled.iter().map(|(_, spelling)| spelling));
        Ok(Self {
            automaton: automaton.context("words to look for")?,
            words: spelled.into_iter().map(|(place, _)| place).collect(),
        })
    }

    /// How many spellings are looked for.
    pub(super) fn spellings(&self) -> usize {
        self.words.len()
    }

    /// The words some bytes hold.
    pub(super) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let found = self.automaton.find_overlapping_iter(bytes);
        found.map(|found| self.words[found.pattern()]).collect()
    }

    /// The words in the names and contents of everything below a folder, or in a file. A file that goes meanwhile is
    /// passed over: a running node tidies up.
    pub(super) fn below(&self, path: &Path) -> io::Result<Found> {
        let mut found = Found::default();
        self.look(path, &mut found)?;
        Ok(found)
    }

    fn look(&self, path: &Path, found: &mut Found) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default();
        found.words.extend(self.in_bytes(name.as_encoded_bytes()));
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.look(&entry?.path(), found)?;
            }
            return Ok(());
        }
        match std::fs::read(path) {
            Ok(bytes) => {
                found.bytes += bytes.len() as u64;
                found.words.extend(self.in_bytes(&bytes));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Every spelling of a word.
fn spellings(word: &str) -> impl Iterator<Item = Vec<u8>> {
    let units = || word.encode_utf16();
    let escapes = |escape: fn(u16) -> String| units().map(escape).collect::<String>().into_bytes();
    let plain = [
        word.as_bytes().to_vec(),
        units().flat_map(u16::to_le_bytes).collect(),
        units().flat_map(u16::to_be_bytes).collect(),
        escapes(|unit| format!("\\u{unit:04x}")),
        escapes(|unit| format!("\\u{unit:04X}")),
    ];
    plain.into_iter().flat_map(|bytes| {
        let mut all = vec![
            HEXLOWER.encode(&bytes).into_bytes(),
            HEXUPPER.encode(&bytes).into_bytes(),
        ];
        for before in 0..3 {
            let padded = [&vec![0; before][..], &bytes].concat();
            for encoding in [BASE64, BASE64URL] {
                all.push(inside(&encoding.encode(&padded), before, bytes.len()));
            }
        }
        all.push(bytes);
        all
    })
}

/// The characters of a base64 text that depend on nothing but the `length` bytes behind the first `before`.
fn inside(text: &str, before: usize, length: usize) -> Vec<u8> {
    let first = (before * 8).div_ceil(6);
    let last = (before + length) * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_every_spelling_and_in_names() {
        let search = Search::new(&["王远山", "13800138000"]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a").join("b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(below.join("clean"), [7; 5_000]).unwrap();
        let clean = search.below(folder.path()).unwrap();
        assert_eq!((clean.words.len(), clean.bytes), (0, 5_000));
        for (place, word) in ["王远山", "13800138000"].into_iter().enumerate() {
            for spelling in spellings(word) {
                let file = below.join("leaked");
                std::fs::write(&file, [b"....", &spelling[..], b"...."].concat()).unwrap();
                let found = search.below(folder.path()).unwrap();
                assert!(found.words.contains(&place), "{word}: {spelling:?}");
                std::fs::remove_file(file).unwrap();
            }
        }
        for before in ["", "a", "ab"] {
            let encoded = BASE64.encode(format!("{before}王远山\"}}").as_bytes());
            assert_eq!(search.in_bytes(encoded.as_bytes()), [0].into());
        }
        std::fs::write(below.join("13800138000"), "").unwrap();
        assert_eq!(search.below(folder.path()).unwrap().words, [1].into());
        assert!(Search::new(&["短"]).is_err());
    }
}
