//! Memory does not grow with a file, neither where it comes in nor where it is fetched.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tongban_tests::client::Ask;
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::process::until;

use crate::desk::{PIECE, application, begin, file, patch, place_of};

/// KiB a node may take above what it took before.
const ABOVE_KIB: u64 = 64 * 1024;

const PATIENCE: Duration = Duration::from_mins(5);

/// `TONGBAN_ATTACHMENT_MIB=1024` is the whole measure.
fn size() -> usize {
    let mib = std::env::var("TONGBAN_ATTACHMENT_MIB").ok();
    mib.and_then(|mib| mib.parse().ok()).unwrap_or(256) * 1024 * 1024
}

#[test]
fn a_large_file_goes_from_city_to_city_in_bounded_memory() {
    let mut federation = Federation::start("info").unwrap();
    let mut clerk = federation.person(FUZHOU, "clerk", "window").unwrap();
    let mut officer = federation.person(WEINAN, "officer", "reviewer").unwrap();
    let nodes = [FUZHOU, WEINAN].map(|place| federation.pid(place).unwrap());
    let before = nodes.map(|pid| idle(pid).unwrap());

    let (size, piece) = (size(), file("piece", PIECE));
    let place = begin(&mut clerk, size).unwrap();
    let mut hasher = blake3::Hasher::new();
    for offset in (0..size).step_by(PIECE) {
        let end = piece.len().min(size - offset);
        hasher.update(&piece[..end]);
        let answer = patch(&mut clerk, &place, offset, &piece[..end]).unwrap();
        assert_eq!(answer.status, 204, "{answer}");
    }
    let named = until(PATIENCE, "the file is whole", || {
        Ok(clerk.read(&place)?["hash"].as_str().map(str::to_owned))
    });
    let named = named.unwrap();
    assert_eq!(named, hasher.finalize().to_hex().to_string());
    let body = application("610502", &[("film.mp4", &named)]).unwrap();
    let answer = clerk
        .ask(&Ask::post("/api/v1/cases", &body).key("film"))
        .unwrap();
    let case = answer.json().unwrap()["case"].as_str().unwrap().to_owned();
    let last = format!("bytes={}-", size - 1);
    let read = until(PATIENCE, "the last byte is at the authority", || {
        // A client gives up before all of it came, the fetch does not.
        let ask = Ask::get(&place_of(&case, &named)).header("range", &last);
        Ok(officer.ask(&ask).ok().filter(|answer| answer.status == 206))
    });
    assert_eq!(read.unwrap().body, [piece[(size - 1) % PIECE]]);

    for (pid, before) in nodes.into_iter().zip(before) {
        let peak = status_kib(pid, "VmHWM").unwrap();
        assert!(peak <= before + ABOVE_KIB, "{peak} KiB, {before} before");
    }
    federation.end().unwrap();
}

/// What a process takes now, from when on its peak is counted anew.
fn idle(pid: u32) -> Result<u64> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")?;
    status_kib(pid, "VmRSS")
}

fn status_kib(pid: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let digits = line.context("a line of status")?;
    let digits = digits.trim_matches(|c: char| !c.is_ascii_digit());
    Ok(digits.parse()?)
}
