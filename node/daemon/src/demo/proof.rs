//! The document as anybody would verify it: offline, from one file and one registry; and a copy in
//! which somebody has changed one letter.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tongban_runtime::seams::WallClock as _;

use crate::commands::doc_verify::Verification;
use crate::failure::Failure;
use crate::files::replace;
use crate::output::{Answer as _, Reader};
use crate::platform::SystemClock;
use crate::registry::read_registry;
use crate::staging::Layout;

/// What verifying found.
#[derive(Debug)]
pub(crate) struct Proof {
    /// Where the document is.
    pub(crate) file: PathBuf,
    /// Verdict on it.
    pub(crate) document: &'static str,
    /// Everything that was checked, for people.
    pub(crate) report: String,
    /// Verdict on the tampered copy.
    pub(crate) tampered: &'static str,
}

/// Keeps the document and a tampered copy as files, and verifies both with the registry file.
pub(crate) fn prove(layout: &Layout, document: &[u8]) -> Result<Proof, Failure> {
    let file = layout.folder.join("document.sdjwt");
    let copy = layout.folder.join("document-tampered.sdjwt");
    replace(&file, document, 0o600)?;
    replace(&copy, &tamper(document)?, 0o600)?;
    let verify = |path: &Path| {
        let bytes = std::fs::read(path).context("reading a document")?;
        let registry = read_registry(&layout.registry)?;
        Verification::of(
            &bytes,
            &registry,
            Some(layout.governance),
            SystemClock.now(),
        )
    };
    let found = verify(&file)?;
    Ok(Proof {
        document: found.verdict,
        report: found.to_text(Reader::default()),
        tampered: verify(&copy)?.verdict,
        file,
    })
}

/// Changes one letter in the middle of what is signed.
fn tamper(document: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut dots = document
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'.');
    let (first, second) = (dots.next(), dots.next());
    let (first, second) = first.zip(second).context("a document has three parts")?;
    let middle = first.0.midpoint(second.0);
    ensure!(
        middle > first.0 && middle < second.0,
        "the payload is not empty"
    );
    let mut changed = document.to_vec();
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_letter_of_the_payload_is_changed() {
        let document = b"aaaa.bbbbbb.cccc~";
        let changed = tamper(document).unwrap();
        let differ: Vec<usize> = (0..document.len())
            .filter(|place| document[*place] != changed[*place])
            .collect();
        assert_eq!(differ.len(), 1);
        assert!((5..11).contains(&differ[0]));
        assert!(tamper(b"no parts").is_err());
    }
}
