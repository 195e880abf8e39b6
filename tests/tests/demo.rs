//! The demonstration ends well by itself, says so in its last line, and leaves no process behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tongban_tests::client::{Ask, Client};
use tongban_tests::process::{program, run, until};

/// What the demonstration promises, once built.
const PROMISED: Duration = Duration::from_mins(1);

/// Everything it starts inherits this.
const MARK: &str = "TONGBAN_DEMO_UNDER_TEST";

#[test]
fn the_demo_ends_well_and_leaves_no_process() {
    let mark = format!("{}-{}", std::process::id(), env!("CARGO_PKG_NAME"));
    let mut command = Command::new(program().unwrap());
    command.args(["demo", "--once", "--json"]).env(MARK, &mark);
    let began = Instant::now();
    let ended = run(command, 2 * PROMISED).unwrap();
    let took = began.elapsed();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(0), "{said}");
    assert!(took < PROMISED, "{took:?}\n{said}");
    let last = ended.stdout.lines().next_back().unwrap_or_default();
    let summary: Value = serde_json::from_str(last).unwrap();
    assert!(summary.is_object(), "{last}");
    assert_eq!(summary["cases_lost"], 0, "{last}");
    assert_eq!(summary["cases_duplicated"], 0, "{last}");
    assert_eq!(summary["leader_killed"], true, "{last}");
    assert_eq!(summary["document"], "valid", "{last}");
    assert_eq!(summary["tampered"], "invalid", "{last}");
    assert_eq!(
        processes_with(&format!("{MARK}={mark}")),
        Vec::<String>::new()
    );
}

/// What it shows to go on with is run as it stands, by a shell and by a client.
#[test]
fn the_commands_the_demo_shows_run_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let house = folder.path().join("a demo's house");
    let demo = Command::new(program().unwrap())
        .args(["demo", "--dir"])
        .arg(&house)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut demo = Ended(demo);
    let said = BufReader::new(demo.0.stdout.take().unwrap());
    let mut shown = Vec::new();
    for line in said.lines() {
        let line = line.unwrap().trim().to_owned();
        let is_last = line.starts_with("接口说明页");
        shown.push(line);
        if is_last {
            break;
        }
    }
    let find = |what: &str| {
        let line = shown.iter().find(|line| line.contains(what));
        line.unwrap_or_else(|| panic!("no {what} in {shown:?}"))
            .as_str()
    };
    for what in [" status --data ", " doc verify "] {
        let mut shell = Command::new("sh");
        shell.args(["-c", find(what)]);
        let ended = run(shell, PROMISED).unwrap();
        assert_eq!(
            ended.code,
            Some(0),
            "{what}: {}{}",
            ended.stdout,
            ended.stderr
        );
    }
    let curl = find("curl -i");
    let between = |from: &str, to: &str| {
        let (_, rest) = curl.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let body = fs::read_to_string(house.join("form.json")).unwrap();
    let (address, path) = curl
        .rsplit_once("https://")
        .unwrap()
        .1
        .split_once('/')
        .unwrap();
    let certificate = house.join("350100/data/tls/certificate.pem");
    let token = between("Bearer ", "'");
    let address = address.parse().unwrap();
    let mut client = Client::over_tls(address, &token, &certificate).unwrap();
    let ask = Ask::post(&format!("/{path}"), &serde_json::from_str(&body).unwrap())
        .key(&between("Idempotency-Key: ", "'"))
        .replicated();
    let collected = client.ask(&ask).unwrap();
    assert!([201, 202].contains(&collected.status), "{collected}");
    let mut interrupt = Command::new("sh");
    interrupt.args(["-c", &format!("kill -INT {}", demo.0.id())]);
    assert_eq!(run(interrupt, PROMISED).unwrap().code, Some(0));
    let ended = until(PROMISED, "the demo ends", || Ok(demo.0.try_wait()?)).unwrap();
    assert_eq!(ended.code(), Some(0));
}

/// Ends with the test; its cities end when it is gone.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The search sees a process that is there.
#[test]
fn a_process_left_behind_would_be_seen() {
    let mark = format!("{}-left", std::process::id());
    let mut left = Command::new("cat")
        .env(MARK, &mark)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Its environment can be read once it runs, some moments after it was started: it answers then.
    let mut answer = [0];
    left.stdin.as_mut().unwrap().write_all(b"?").unwrap();
    let answered = left.stdout.as_mut().unwrap().read_exact(&mut answer);
    let found = processes_with(&format!("{MARK}={mark}"));
    left.kill().unwrap();
    left.wait().unwrap();
    answered.unwrap();
    assert_eq!(found, [left.id().to_string()]);
    assert_eq!(
        processes_with(&format!("{MARK}={mark}")),
        Vec::<String>::new()
    );
}

/// Ids of the processes that have this in their environment.
fn processes_with(variable: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("Linux has it").flatten() {
        // Processes come and go, and some are not ours to read.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment
            .split(|byte| *byte == 0)
            .any(|set| set == variable.as_bytes())
        {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}
