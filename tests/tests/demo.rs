//! The demonstration ends well by itself, says so in its last line, and leaves no process behind.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tongban_tests::process::{program, run};

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
