//! What other machines send is counted as well: bytes of nobody enrolled, and requests of partners
//! that cannot be carried out. And a group that lost its majority is said to have.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, WEINAN};
use tongban_tests::process::{ask_tongban, until};

use super::{CASES, Desks, SETTLE_LIMIT, reviewed_case};

/// The partners that keep replicas of Fuzhou's group.
const PARTNERS_OF_FUZHOU: [usize; 2] = [1, 2];

#[test]
fn what_partners_and_strangers_send_in_vain_is_counted_and_a_lost_majority_is_said() {
    let mut federation = Federation::start("info").unwrap();
    let mut desks = Desks::open(&federation).unwrap();
    let case = reviewed_case(&mut desks).unwrap();
    let mut auditor = federation.person(FUZHOU, "auditor", "auditor").unwrap();
    let failed = "tongban_handshakes_failed_total";
    let before = sample(&mut auditor, failed).unwrap();
    knock(&federation).unwrap();
    until(SETTLE_LIMIT, "the stranger is counted", || {
        Ok((sample(&mut auditor, failed)? > before).then_some(()))
    })
    .unwrap();

    let asked = status(&federation).unwrap();
    assert_eq!(asked, (Some(0), true), "all is well");
    for partner in PARTNERS_OF_FUZHOU {
        federation.kill(partner).unwrap();
    }
    let mut decider = federation.person(WEINAN, "officer", "wn-102").unwrap();
    let decide = json!({
        "decision": "grant",
        "expected_version": case.version_in_weinan,
    });
    let path = format!("{CASES}/{}/decide", case.number);
    let decided = decider
        .ask(&Ask::post(&path, &decide).key("decide"))
        .unwrap();
    assert_eq!(decided.status, 200, "{decided}");
    // Weinan brings the decision, and Fuzhou has no majority to take it in.
    let refused = "tongban_peer_requests_refused_total{lane=\"parcel\",code=\"TB4003\"}";
    until(SETTLE_LIMIT, "the parcel in vain is counted", || {
        Ok((sample(&mut auditor, refused)? > 0).then_some(()))
    })
    .unwrap();
    until(SETTLE_LIMIT, "the lost majority is said", || {
        Ok((status(&federation)? == (Some(3), false)).then_some(()))
    })
    .unwrap();
    federation.end().unwrap();
}

/// Says something at the door that no node says; returns when the door is shut.
fn knock(federation: &Federation) -> Result<()> {
    let mut door = TcpStream::connect(federation.places[FUZHOU].federation)?;
    door.write_all(b"GET / HTTP/1.1\r\nhost: fuzhou\r\n\r\n")?;
    let mut answer = Vec::new();
    // Shut in good order or not, both will do.
    drop(door.read_to_end(&mut answer));
    Ok(())
}

/// How `tongban status` ends on Fuzhou's machine, and whether it calls the node healthy. Asking must
/// not touch the tokens.
fn status(federation: &Federation) -> Result<(Option<i32>, bool)> {
    let data = &federation.places[FUZHOU].data;
    let tokens = data.join("tokens.json");
    let before = (fs::read(&tokens)?, fs::metadata(&tokens)?.modified()?);
    let data = data.to_str().context("UTF-8")?;
    let (code, answer) = ask_tongban(&["status", "--data", data])?;
    let after = (fs::read(&tokens)?, fs::metadata(&tokens)?.modified()?);
    ensure!(before == after, "asking changed the tokens");
    let healthy = answer["healthy"].as_bool();
    Ok((code, healthy.with_context(|| answer.to_string())?))
}

/// A number of the metrics; 0 while it is not there.
fn sample(auditor: &mut Client, name: &str) -> Result<u64> {
    let metrics = auditor.ask(&Ask::get("/metrics"))?;
    ensure!(metrics.status == 200, "{metrics}");
    let text = String::from_utf8(metrics.body)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(Ok(0), |number| Ok(number.trim().parse()?))
}
