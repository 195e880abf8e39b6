//! Looking for a person's data in bytes, in every spelling it could have slipped through in: UTF-8,
//! UTF-16, GBK, JSON escapes, base64 at every alignment, hexadecimal digits.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, ensure};
use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

/// A spelling shorter than this would be found by chance.
const SPELLING_BYTES_MIN: usize = 6;

/// What is read at once.
const PIECE_BYTES: usize = 512 * 1024;

/// One way to write a text.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// Which text, in which way.
    pub name: String,
    /// The bytes to look for.
    pub bytes: Vec<u8>,
}

/// Where a spelling was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// In which file.
    pub file: PathBuf,
    /// Which spelling.
    pub spelling: String,
}

/// Looks for all spellings of some texts.
#[derive(Debug)]
pub struct Search {
    /// What is looked for.
    pub spellings: Vec<Spelling>,
    automaton: AhoCorasick,
}

impl Search {
    /// Looks for these texts.
    pub fn new(texts: &[&str]) -> Result<Self> {
        let mut spellings: Vec<Spelling> = texts.iter().flat_map(|text| spellings(text)).collect();
        // A text of digits has some spellings in common with another way to write it.
        spellings.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        spellings.dedup_by(|a, b| a.bytes == b.bytes);
        let short = spellings
            .iter()
            .find(|spelling| spelling.bytes.len() < SPELLING_BYTES_MIN);
        ensure!(short.is_none(), "too short to look for: {short:?}");
        let automaton = AhoCorasick::new(spellings.iter().map(|spelling| &spelling.bytes))?;
        Ok(Self {
            spellings,
            automaton,
        })
    }

    /// Names of the spellings some bytes hold.
    pub fn in_bytes(&self, bytes: &[u8]) -> Vec<&str> {
        let found = self.automaton.find_overlapping_iter(bytes);
        let mut names: Vec<&str> = found
            .map(|found| self.spellings[found.pattern()].name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Everything found in a file, read piece by piece, or in a folder with all below it.
    pub fn below(&self, path: &Path) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        self.look(path, &mut findings)
            .with_context(|| path.display().to_string())?;
        findings.sort();
        findings.dedup();
        Ok(findings)
    }

    fn look(&self, path: &Path, findings: &mut Vec<Finding>) -> Result<()> {
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                let path = entry?.path();
                // Names count as well as contents.
                let name = path.file_name().context("an entry has a name")?;
                self.note(&path, name.as_encoded_bytes(), findings);
                self.look(&path, findings)?;
            }
            return Ok(());
        }
        let mut file = File::open(path)?;
        let longest = self
            .spellings
            .iter()
            .map(|spelling| spelling.bytes.len())
            .max();
        let overlap = longest.unwrap_or(0);
        let mut piece = Vec::with_capacity(PIECE_BYTES + overlap);
        loop {
            // The end of the piece before stays, for what lies across the border.
            piece.drain(..piece.len().saturating_sub(overlap));
            let read = (&mut file)
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            self.note(path, &piece, findings);
        }
    }

    fn note(&self, file: &Path, bytes: &[u8], findings: &mut Vec<Finding>) {
        findings.extend(self.in_bytes(bytes).into_iter().map(|spelling| Finding {
            file: file.to_owned(),
            spelling: spelling.to_owned(),
        }));
    }
}

/// Every spelling of a text.
fn spellings(text: &str) -> Vec<Spelling> {
    let units = || text.encode_utf16();
    let escape = |unit: u16| format!("\\u{unit:04x}");
    let upper = |unit: u16| format!("\\u{unit:04X}");
    let (gbk, _, lost) = encoding_rs::GBK.encode(text);
    let charsets = [
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-16le", units().flat_map(u16::to_le_bytes).collect()),
        ("utf-16be", units().flat_map(u16::to_be_bytes).collect()),
        ("gbk", if lost { Vec::new() } else { gbk.into_owned() }),
        (
            "json escapes",
            units().map(escape).collect::<String>().into_bytes(),
        ),
        (
            "json escapes, upper",
            units().map(upper).collect::<String>().into_bytes(),
        ),
    ];
    let mut spellings = Vec::new();
    for (charset, bytes) in charsets.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let mut add = |way: &str, bytes: Vec<u8>| {
            let name = format!("{text} in {charset}{way}");
            spellings.push(Spelling { name, bytes });
        };
        add(", hex", HEXLOWER.encode(&bytes).into_bytes());
        add(", upper hex", HEXUPPER.encode(&bytes).into_bytes());
        for before in 0..3 {
            add(
                &format!(", base64 after {before}"),
                inside(&BASE64.encode(&padded(before, &bytes)), before, bytes.len()),
            );
            add(
                &format!(", base64url after {before}"),
                inside(
                    &BASE64URL.encode(&padded(before, &bytes)),
                    before,
                    bytes.len(),
                ),
            );
        }
        add("", bytes);
    }
    spellings
}

fn padded(before: usize, bytes: &[u8]) -> Vec<u8> {
    let mut padded = vec![0; before];
    padded.extend_from_slice(bytes);
    padded
}

/// The characters of a base64 text that depend on nothing but the `length` bytes behind the first.
fn inside(text: &str, before: usize, length: usize) -> Vec<u8> {
    let first = (before * 8).div_ceil(6);
    let last = (before + length) * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found_where_it_is_and_nowhere_else() {
        let texts = ["欧阳靖雯", "350103198703150003", "13905917788"];
        let search = Search::new(&texts).unwrap();
        assert!(search.spellings.len() > 80, "{}", search.spellings.len());
        let folder = tempfile::tempdir().unwrap();
        for (number, spelling) in search.spellings.iter().enumerate() {
            // Across the border between two pieces.
            let mut bytes = vec![b'.'; PIECE_BYTES - 3];
            bytes.extend_from_slice(&spelling.bytes);
            bytes.extend_from_slice(b"....");
            let file = folder.path().join(number.to_string());
            std::fs::write(&file, &bytes).unwrap();
            let found = search.below(&file).unwrap();
            assert!(
                found.iter().any(|found| found.spelling == spelling.name),
                "{spelling:?}"
            );
            std::fs::remove_file(&file).unwrap();
        }
        std::fs::write(folder.path().join("clean"), vec![7; 100_000]).unwrap();
        assert_eq!(search.below(folder.path()).unwrap(), []);
        std::fs::write(folder.path().join(texts[2]), "").unwrap();
        assert_eq!(
            search.below(folder.path()).unwrap().len(),
            1,
            "a name of a file"
        );
    }

    #[test]
    fn base64_is_found_wherever_the_text_stands_in_it() {
        let text = "王远山";
        let search = Search::new(&[text]).unwrap();
        for before in ["", "a", "ab", "abc", "{\"name\":\""] {
            let whole = format!("{before}{text}\"}}");
            for encoded in [
                BASE64.encode(whole.as_bytes()),
                BASE64URL.encode(whole.as_bytes()),
            ] {
                assert!(!search.in_bytes(encoded.as_bytes()).is_empty(), "{whole}");
            }
        }
    }
}
