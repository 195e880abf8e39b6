//! A node whose log fails does not stay behind as a process that answers and does nothing: it ends,
//! says why, and a supervisor starts it again.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tongban_tests::client::{Ask, Client};
use tongban_tests::federation::{FUZHOU, Federation, Place};
use tongban_tests::forms::{Applicant, migration};
use tongban_tests::process::{program, until};

const LIMIT: Duration = Duration::from_mins(1);

/// Kills what a failed test leaves.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_node_whose_log_fails_ends_and_says_why() {
    let federation = Federation::prepare("info", "").unwrap();
    let place = &federation.places[FUZHOU];
    let mut clerk = federation.person(FUZHOU, "clerk", "fz-001").unwrap();
    // Alone, as with every line cut: it collects all the same.
    let mut node = Started(start(place).unwrap());
    until(LIMIT, "the node is alive", || Ok(is_alive(&mut clerk))).unwrap();
    let collected = clerk.ask(&application("before").unwrap()).unwrap();
    assert_eq!(collected.status, 202, "{collected}");

    forbid_writing(node.0.id()).unwrap();
    // Refused, or cut off in the middle by the end of the node: never acknowledged.
    let after = clerk.ask(&application("after").unwrap());
    assert!(
        !matches!(&after, Ok(answer) if answer.status < 300),
        "{after:?}"
    );
    let ended = until(LIMIT, "the node ends", || Ok(node.0.try_wait()?)).unwrap();
    assert_eq!(ended.code(), Some(1));
    let mut said = String::new();
    let mut stderr = node.0.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("TB4006"), "{said}");
}

/// A node that is told of a full disk as of any other error: the signal that comes with a file too
/// large is passed over. What it says goes through a pipe, which no limit of files stops.
fn start(place: &Place) -> Result<Child> {
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(program()?)
        .args(["up", "--until-stdin-closes", "--config"])
        .arg(&place.config)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    child.context("starting a node")
}

fn is_alive(client: &mut Client) -> Option<()> {
    let answer = client.ask(&Ask::get("/livez")).ok()?;
    (answer.status == 200).then_some(())
}

fn application(key: &str) -> Result<Ask> {
    let body = migration(&Applicant::numbered(1), "610502")?;
    Ok(Ask::post("/api/v1/cases", &body).key(key))
}

/// From now on every write of the process to a file is an error.
fn forbid_writing(process: u32) -> Result<()> {
    let status = Command::new("prlimit")
        .args(["--pid", &process.to_string(), "--fsize=1"])
        .status()?;
    ensure!(status.success(), "prlimit ends with {status}");
    Ok(())
}
