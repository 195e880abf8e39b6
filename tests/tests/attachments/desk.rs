//! What a clerk and an officer do with files.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tongban_tests::client::{Answer, Ask, Client};
use tongban_tests::forms::{Applicant, migration};

/// Bytes of one `PATCH`.
pub(crate) const PIECE: usize = 4 * 1024 * 1024;

/// Bytes that no two places of a file, and no two seeds, have in common.
pub(crate) fn file(seed: &str, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let mut hasher = blake3::Hasher::new();
    hasher.update(seed.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

pub(crate) fn tus(method: &'static str, path: &str) -> Ask {
    Ask::new(method, path).header("tus-resumable", "1.0.0")
}

/// Opens an upload; its address.
pub(crate) fn begin(clerk: &mut Client, length: usize) -> Result<String> {
    let ask = tus("POST", "/api/v1/uploads").header("upload-length", &length.to_string());
    let answer = clerk.ask(&ask)?;
    ensure!(answer.status == 201, "{answer}");
    ensure!(answer.header("upload-expires").is_some(), "{answer}");
    Ok(answer.header("location").context("a place")?.to_owned())
}

/// Sends a piece.
pub(crate) fn patch(
    clerk: &mut Client,
    place: &str,
    offset: usize,
    piece: &[u8],
) -> Result<Answer> {
    let ask = tus("PATCH", place)
        .header("upload-offset", &offset.to_string())
        .header("content-type", "application/offset+octet-stream")
        .bytes(piece);
    clerk.ask(&ask)
}

/// Where an upload stands.
pub(crate) fn stands(clerk: &mut Client, place: &str) -> Result<usize> {
    let answer = clerk.ask(&tus("HEAD", place))?;
    ensure!(answer.status == 200, "{answer}");
    Ok(answer
        .header("upload-offset")
        .context("an offset")?
        .parse()?)
}

/// Uploads the rest of a file from where it stands; its hash as the node says it.
pub(crate) fn upload(clerk: &mut Client, place: &str, bytes: &[u8]) -> Result<String> {
    let mut offset = stands(clerk, place)?;
    while offset < bytes.len() {
        let end = (offset + PIECE).min(bytes.len());
        let answer = patch(clerk, place, offset, &bytes[offset..end])?;
        ensure!(answer.status == 204, "{answer}");
        offset = answer
            .header("upload-offset")
            .context("an offset")?
            .parse()?;
    }
    let shown = clerk.read(place)?;
    Ok(shown["hash"].as_str().context("a hash")?.to_owned())
}

/// The body that hands a case with files in, for a division.
pub(crate) fn application(division: &str, files: &[(&str, &str)]) -> Result<Value> {
    let mut body = migration(&Applicant::numbered(1), division)?;
    let named = files
        .iter()
        .map(|(name, hash)| json!({ "name": name, "media_type": "application/pdf", "hash": hash }));
    body["attachments"] = named.collect();
    Ok(body)
}

/// Where a file of a case is.
pub(crate) fn place_of(case: &str, hash: &str) -> String {
    format!("/api/v1/cases/{case}/attachments/{hash}")
}

/// Reads a file of a case, range by range.
pub(crate) fn download(person: &mut Client, place: &str, size: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let range = format!("bytes={}-{}", bytes.len(), bytes.len() + PIECE - 1);
        let answer = person.ask(&Ask::get(place).header("range", &range))?;
        ensure!(answer.status == 206, "{range}: {answer}");
        bytes.extend(answer.body);
    }
    Ok(bytes)
}
