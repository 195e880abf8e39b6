//! The document as anybody would verify it: offline, from one file and one registry; whose key it names; and what a
//! forger makes of it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use tongban_runtime::seams::{Entropy as _, WallClock as _};
use tongban_trust::SigningKey;
use tongban_types::NodeId;
use zeroize::Zeroizing;

use super::forgery::{parts, sign_as_stranger, sign_in_its_name, tamper};
use crate::commands::doc_verify::Verification;
use crate::failure::Failure;
use crate::files::replace;
use crate::output::{Answer as _, Reader};
use crate::platform::{OsEntropy, SystemClock};
use crate::registry::{believe, read_registry};
use crate::staging::Layout;

/// Names of the files in the folder of the demonstration.
pub(super) const DOCUMENT: &str = "document.sdjwt";
pub(super) const TAMPERED: &str = "document-tampered.sdjwt";
pub(super) const STRANGER: &str = "document-stranger.sdjwt";
pub(super) const FALSE_NAME: &str = "document-false-name.sdjwt";

/// What verifying a document found.
#[derive(Debug)]
pub(super) struct Proof {
    /// Where it is.
    pub(super) file: PathBuf,
    /// Its verdict.
    pub(super) verdict: &'static str,
    /// Everything that was checked, for people.
    pub(super) report: String,
}

/// Keeps a document as a file and verifies it with the registry file.
pub(super) fn prove(
    layout: &Layout,
    document: &[u8],
    name: &str,
    reader: Reader,
) -> Result<Proof, Failure> {
    let file = layout.folder.join(name);
    replace(&file, document, 0o600)?;
    let found = verify(layout, &file)?;
    Ok(Proof {
        verdict: found.verdict,
        report: found.to_text(reader),
        file,
    })
}

/// The same of a copy with one letter changed.
pub(super) fn prove_tampered(
    layout: &Layout,
    document: &[u8],
    reader: Reader,
) -> Result<Proof, Failure> {
    prove(layout, &tamper(document)?, TAMPERED, reader)
}

/// The same of two copies signed by a stranger: under his own name, and under the city's.
pub(super) fn prove_strangers(
    layout: &Layout,
    document: &[u8],
    reader: Reader,
) -> Result<[Proof; 2], Failure> {
    let key = SigningKey::from_seed(&Zeroizing::new(OsEntropy.array()));
    let own = sign_as_stranger(document, &key)?;
    let false_name = sign_in_its_name(document, &key)?;
    Ok([
        prove(layout, &own, STRANGER, reader)?,
        prove(layout, &false_name, FALSE_NAME, reader)?,
    ])
}

/// The node whose key a document names as the one that signed it; none where the registry has no such key. Whether
/// it did sign is for [`prove`] to say.
pub(super) fn signer_of(layout: &Layout, document: &[u8]) -> Result<Option<NodeId>, Failure> {
    let (header, _, _) = parts(document)?;
    let header = BASE64URL_NOPAD.decode(header.as_bytes());
    let header = header.context("a header is base64url")?;
    let header: Value = serde_json::from_slice(&header).context("a header is JSON")?;
    let registry = believe(&read_registry(&layout.registry)?, Some(layout.governance))?;
    let holder = header["kid"]
        .as_str()
        .and_then(|key| registry.issuer_key(key));
    Ok(holder.map(|holder| holder.node))
}

fn verify(layout: &Layout, file: &Path) -> Result<Verification, Failure> {
    let bytes = std::fs::read(file).context("reading a document")?;
    let registry = read_registry(&layout.registry)?;
    let now = SystemClock.now();
    Verification::of(&bytes, &registry, Some(layout.governance), now)
}
