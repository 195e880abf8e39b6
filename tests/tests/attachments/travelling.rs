//! A file handed in at one city and read at another, past a killed node, a tampered disk and everybody
//! whom it does not concern.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::process::until;

use crate::desk::{
    PIECE, application, begin, download, file, hash, patch, place_of, stands, tus, upload,
};

/// A case handed over is with its authority within a second; a busy machine takes longer.
const ARRIVAL: Duration = Duration::from_mins(1);

/// A district of 渭南.
const LINWEI: &str = "610502";

/// Hosts a replica of 福州's group, and is no party of its cases.
const PUTIAN: usize = 1;

#[test]
fn a_file_survives_a_kill_while_it_is_uploaded_and_is_read_at_the_other_city_alone() {
    let mut federation = Federation::start("info").unwrap();
    let token = federation.token(FUZHOU, "clerk", "window").unwrap();
    let mut clerk = Client::new(federation.places[FUZHOU].http, &token);
    let bytes = file("drawing", 20_000_000);
    let place = begin(&mut clerk, bytes.len()).unwrap();
    for offset in [0, PIECE] {
        let answer = patch(&mut clerk, &place, offset, &bytes[offset..offset + PIECE]).unwrap();
        assert_eq!(answer.status, 204, "{answer}");
    }
    // Half of a piece is on its way when the node is killed.
    let sent = 2 * PIECE..3 * PIECE;
    let mut line = TcpStream::connect(federation.places[FUZHOU].http).unwrap();
    let head = format!(
        "PATCH {place} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         tus-resumable: 1.0.0\r\nupload-offset: {}\r\ncontent-length: {PIECE}\r\n\
         content-type: application/offset+octet-stream\r\n\r\n",
        sent.start
    );
    line.write_all(head.as_bytes()).unwrap();
    line.write_all(&bytes[sent.start..sent.start + PIECE / 2])
        .unwrap();
    federation.kill(FUZHOU).unwrap();
    drop(line);
    federation.start_one(FUZHOU).unwrap();
    federation.until_leading(FUZHOU).unwrap();

    let mut clerk = Client::new(federation.places[FUZHOU].http, &token);
    let offset = stands(&mut clerk, &place).unwrap();
    assert!(
        (sent.start..=sent.start + PIECE / 2).contains(&offset),
        "what was answered is there and no more than was sent: {offset}"
    );
    let wrong = patch(&mut clerk, &place, offset + 1, b"x").unwrap();
    assert_eq!(
        (wrong.status, wrong.code().unwrap().as_str()),
        (409, "TB5402")
    );
    let named = upload(&mut clerk, &place, &bytes).unwrap();
    assert_eq!(named, hash(&bytes));

    others_cannot_use_it(&mut federation, &place, &named);
    let case = hand_in(&mut clerk, &place, &named).unwrap();
    let there = place_of(&case, &named);
    let mut officer = federation.person(WEINAN, "officer", "reviewer").unwrap();
    until(
        ARRIVAL,
        "the case with its file is at the authority",
        || {
            let shown = officer.ask(&Ask::get(&format!("/api/v1/cases/{case}")))?;
            Ok((shown.json()?["attachments"][0]["hash"] == named.as_str()).then_some(()))
        },
    )
    .unwrap();
    let read = download(&mut officer, &there, bytes.len()).unwrap();
    assert!(read == bytes, "what is read is what was handed in");

    as_http_wants_it(&mut officer, &there, &named, &bytes);
    nobody_else_sees_it(&federation, &case, &named);
    a_tampered_file_is_not_served(&federation, &mut officer, &there, &named);
    federation.end().unwrap();
}

fn hand_in(clerk: &mut Client, upload: &str, named: &str) -> Result<String> {
    let body = application(LINWEI, &[("营业执照.pdf", named)])?;
    let ask = Ask::post("/api/v1/cases", &body).key("with-file");
    let answer = clerk.ask(&ask)?;
    assert!([201, 202].contains(&answer.status), "{answer}");
    let case = answer.json()?["case"].as_str().unwrap().to_owned();
    // The same again is the same case, also once the upload is tidied away.
    for _ in 0..2 {
        let again = clerk.ask(&ask)?.json()?;
        assert_eq!(
            (&again["case"], &again["repeated"]),
            (&case.as_str().into(), &true.into()),
            "{again}"
        );
        clerk.ask(&tus("DELETE", upload))?;
    }
    assert_eq!(clerk.ask(&tus("GET", upload))?.status, 404);
    Ok(case)
}

/// A hash heard of, an upload that is not whole, or another's, cannot be named, and all are refused alike.
fn others_cannot_use_it(federation: &mut Federation, place: &str, named: &str) {
    let mut other = federation
        .person(FUZHOU, "clerk", "another-window")
        .unwrap();
    for method in ["GET", "DELETE"] {
        let answer = other.ask(&tus(method, place)).unwrap();
        assert_eq!(answer.status, 404, "{method}: {answer}");
    }
    let unfinished = begin(&mut other, 100).unwrap();
    patch(&mut other, &unfinished, 0, &[7; 50]).unwrap();
    for hash in [named, &hash(&[7; 50]), &"0".repeat(64)] {
        let body = application(LINWEI, &[("a.pdf", hash)]).unwrap();
        let ask = Ask::post("/api/v1/cases", &body).key(&format!("not-mine-{hash}"));
        let answer = other.ask(&ask).unwrap();
        assert_eq!(
            (answer.status, answer.code().unwrap().as_str()),
            (422, "TB5406"),
            "{answer}"
        );
    }
    let mut officer = federation.person(FUZHOU, "officer", "officer").unwrap();
    let ask = tus("POST", "/api/v1/uploads").header("upload-length", "5");
    assert_eq!(
        officer.ask(&ask).unwrap().status,
        403,
        "only who takes in uploads"
    );
}

fn as_http_wants_it(officer: &mut Client, there: &str, named: &str, bytes: &[u8]) {
    let range = officer.ask(&Ask::get(there).header("range", "bytes=16383-16385"));
    let range = range.unwrap();
    assert_eq!(
        (range.status, &range.body[..]),
        (206, &bytes[16_383..16_386])
    );
    assert_eq!(
        range.header("content-range"),
        Some("bytes 16383-16385/20000000")
    );
    assert_eq!(range.header("content-type"), Some("application/pdf"));
    let disposition = range.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; ") && disposition.contains("%E8%90%A5"));
    let tag = format!("\"{named}\"");
    assert_eq!(range.header("etag"), Some(tag.as_str()));
    let known = officer
        .ask(&Ask::get(there).header("if-none-match", &tag))
        .unwrap();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let beyond = officer.ask(&Ask::get(there).header("range", "bytes=20000000-"));
    assert_eq!(beyond.unwrap().status, 416);
}

fn nobody_else_sees_it(federation: &Federation, case: &str, named: &str) {
    let there = place_of(case, named);
    // It hosts a replica of the group and is no party.
    let mut putian = federation.person(PUTIAN, "officer", "reviewer").unwrap();
    let other_city = putian.ask(&Ask::get(&there)).unwrap();
    assert_eq!(
        (other_city.status, other_city.code().unwrap().as_str()),
        (404, "TB3011")
    );
    for role in ["auditor", "operator"] {
        let mut person = federation.person(WEINAN, role, role).unwrap();
        assert_eq!(person.ask(&Ask::get(&there)).unwrap().status, 403, "{role}");
    }
    let mut officer = federation.person(WEINAN, "officer", "reviewer").unwrap();
    let unknown = officer
        .ask(&Ask::get(&place_of(case, &"0".repeat(64))))
        .unwrap();
    assert_eq!(
        (unknown.status, unknown.code().unwrap().as_str()),
        (404, "TB5406")
    );
    let anonymous = officer.ask(&Ask::get(&there).anonymous()).unwrap();
    assert_eq!(anonymous.status, 401);
    // No process that is no party has a byte of it on its disk.
    for place in [PUTIAN, 2, 3, 5] {
        let kept = federation.places[place].data.join("blobs/whole");
        assert_eq!(std::fs::read_dir(kept).unwrap().count(), 0, "{place}");
    }
}

fn a_tampered_file_is_not_served(
    federation: &Federation,
    officer: &mut Client,
    there: &str,
    named: &str,
) {
    let path = federation.places[WEINAN]
        .data
        .join("blobs/whole")
        .join(named);
    let mut stored = std::fs::read(&path).unwrap();
    stored[5_000_000] ^= 1;
    std::fs::write(&path, stored).unwrap();
    let answer = officer.ask(&Ask::get(there).header("range", "bytes=5000000-5000010"));
    let answer = answer.unwrap();
    assert_eq!(
        (answer.status, answer.code().unwrap().as_str()),
        (500, "TB5407"),
        "{answer}"
    );
    let sound = officer
        .ask(&Ask::get(there).header("range", "bytes=0-9"))
        .unwrap();
    assert_eq!(sound.status, 206);
}
