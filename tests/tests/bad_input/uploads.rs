//! What must be refused of an upload. Clients of tus that are not ours send good requests alone.

use anyhow::{Context, Result, ensure};
use tongban_tests::client::{Ask, Client};
use tongban_types::limits::BLOB_BYTES_MAX;

use super::requests::{Bad, By};

const UPLOADS: &str = "/api/v1/uploads";

/// By which status and code, and what a person must be told.
type Refused = (u16, &'static str, &'static str);

const VERSION: Refused = (412, "TB7019", "Tus-Resumable");
const LENGTH: Refused = (400, "TB7019", "upload-length");
const OFFSET: Refused = (400, "TB7019", "upload-offset");
const STANDS: Refused = (409, "TB5402", "已收 0 字节");
const LARGE: Refused = (413, "TB5404", "文件");
const TYPE: Refused = (415, "TB7006", "offset+octet-stream");
const UNKNOWN: Refused = (404, "TB5401", "上传");
const QUERY: Refused = (400, "TB7010", "参数");
const METHOD: Refused = (405, "TB7005", "方法");

fn tus(method: &'static str, path: &str) -> Ask {
    Ask::new(method, path).header("tus-resumable", "1.0.0")
}

/// A piece of this type, that does not say where it goes on.
fn piece(place: &str, kind: &str) -> Ask {
    tus("PATCH", place)
        .header("content-type", kind)
        .bytes("12345")
}

/// A piece that goes on there.
fn piece_at(place: &str, offset: &str) -> Ask {
    piece(place, "application/offset+octet-stream").header("upload-offset", offset)
}

/// Opens an upload of four bytes, fewer than a piece has here; its address.
pub(crate) fn begin(clerk: &mut Client) -> Result<String> {
    let answer = clerk.ask(&tus("POST", UPLOADS).header("upload-length", "4"))?;
    ensure!(answer.status == 201, "{answer}");
    Ok(answer.header("location").context("a place")?.to_owned())
}

/// Every mistake, of an upload of the clerk's that has no byte yet.
pub(crate) fn bad_uploads(upload: &str) -> Vec<Bad> {
    let open = |length: &str| tus("POST", UPLOADS).header("upload-length", length);
    let meant = |place: &str, method: &str| {
        let ask = tus("POST", place);
        ask.header("x-http-method-override", method)
    };
    let other_tus = Ask::new("POST", UPLOADS).header("tus-resumable", "0.2.2");
    let too_long = (BLOB_BYTES_MAX + 1).to_string();
    let nobodys = format!("{UPLOADS}/{}", "0".repeat(32));
    let asked = format!("{upload}?x=1");
    let unplaced = piece(upload, "application/offset+octet-stream");
    let rows = [
        (VERSION, "another tus", other_tus),
        (VERSION, "no tus", Ask::new("DELETE", upload)),
        (LENGTH, "no length", tus("POST", UPLOADS)),
        (LENGTH, "a garbled length", open("4k")),
        (LARGE, "a file too large", open(&too_long)),
        (LARGE, "more than announced", piece_at(upload, "0")),
        (TYPE, "a piece of JSON", piece(upload, "application/json")),
        (TYPE, "a POST of no type", meant(upload, "PATCH")),
        (OFFSET, "no offset", unplaced),
        (OFFSET, "a garbled offset", piece_at(upload, "-1")),
        (STANDS, "another offset", piece_at(upload, "1")),
        (UNKNOWN, "no such upload", piece_at(&nobodys, "0")),
        (QUERY, "a piece with a query", piece_at(&asked, "0")),
        (QUERY, "forgetting with a query", tus("DELETE", &asked)),
        (QUERY, "a POST with a query", meant(&asked, "DELETE")),
        (METHOD, "a POST for no method", tus("POST", upload)),
        (METHOD, "a POST for another method", meant(upload, "PUT")),
    ];
    let refused = |((status, code, told), name, ask)| {
        Bad::by(By::Clerk, name, ask).refused(status, code, told)
    };
    rows.into_iter().map(refused).collect()
}

/// Fails unless the upload is there and has no byte, as before.
pub(crate) fn check_untouched(clerk: &mut Client, upload: &str) -> Result<()> {
    let stands = clerk.read(upload)?;
    ensure!(stands["offset"] == 0, "{stands}");
    Ok(())
}
