//! The demonstration ends well by itself, says so in its last line, and leaves no process behind.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows only functions marked as tests, not what they stand on"
)]

use std::collections::BTreeSet;
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
    is_kept(&summary);
    assert_eq!(
        processes_with(&format!("{MARK}={mark}")),
        Vec::<String>::new()
    );
}

/// What every demonstration promises, and that it was seen.
fn is_kept(summary: &Value) {
    assert_eq!(summary["cases_lost"], 0, "{summary}");
    assert_eq!(summary["cases_duplicated"], 0, "{summary}");
    assert_eq!(summary["leader_killed"], true, "{summary}");
    assert_eq!(summary["two_node_city"], true, "{summary}");
    assert_eq!(summary["document"], "valid", "{summary}");
    assert_eq!(summary["tampered"], "invalid", "{summary}");
    assert_eq!(summary["drill"], "passed", "{summary}");
    assert!(
        ["quic", "tcp"].contains(&summary["line"].as_str().unwrap_or("-")),
        "{summary}"
    );
    let pairs = |name: &str| summary[name].as_u64().unwrap_or(0);
    assert!(
        pairs("quic_pairs") > 0 && pairs("tcp_pairs") > 0,
        "{summary}"
    );
    assert!(
        pairs("quic_pairs") + pairs("tcp_pairs") <= PAIRS_MAX,
        "{summary}"
    );
}

/// Nodes of six cities, one of which has two; and pairs of them.
const NODES: usize = 7;
const PAIRS_MAX: u64 = 21;

/// Names of places are said as the registry has them.
const PLACES: [&str; 6] = ["福州市", "莆田市", "宁德市", "南平市", "渭南市", "定西市"];

/// Columns of a terminal.
const COLUMNS: usize = 100;

#[test]
fn the_english_account_has_nothing_chinese_but_names_of_places() {
    let mut command = Command::new(program().unwrap());
    command.args(["demo", "--once", "--lang", "en"]);
    let ended = run(command, 2 * PROMISED).unwrap();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let account = ended.stdout + &ended.stderr;
    is_readable_english(&account);
    assert!(account.contains("leads"), "{account}");
    assert!(
        account.contains("610500-02 issued the document"),
        "{account}"
    );
    let (_, behind) = account.split_once("seven processes:").unwrap();
    let pids = behind.split('[').next().unwrap_or_default();
    let pids: BTreeSet<&str> = pids.split_whitespace().collect();
    assert_eq!(pids.len(), NODES, "{account}");
    assert!(account.contains("Fuzhou and Weinan speak "), "{account}");
    let last = account.lines().next_back().unwrap_or_default();
    assert!(last.ends_with("Every promise was kept"), "{last}");
}

/// Every name in a line is filled in, no Chinese is left, and a line fits where it can be broken.
fn is_readable_english(account: &str) {
    let mut told = account.to_owned();
    for place in PLACES {
        told = told.replace(place, "");
    }
    let is_chinese = |letter: char| ('\u{2e80}'..='\u{ffef}').contains(&letter);
    let is_strange = |line: &&str| line.chars().any(is_chinese) || line.contains(['{', '}']);
    let strange: Vec<&str> = told.lines().filter(is_strange).collect();
    assert_eq!(strange, Vec::<&str>::new());
    let is_long = |line: &&str| line.chars().count() > COLUMNS && !line.contains('/');
    let long: Vec<&str> = account.lines().filter(is_long).collect();
    assert_eq!(long, Vec::<&str>::new());
}

/// The claims of the tour, in its order.
const CLAIMS: [&str; 16] = [
    "cities_are_up",
    "application_is_replicated",
    "application_is_routed",
    "cities_speak_quic",
    "file_arrives_unchanged",
    "lost_leader_loses_nothing",
    "city_goes_on_at_its_second_node",
    "different_people_decide",
    "result_returns",
    "document_is_valid_offline",
    "tampered_copy_is_invalid",
    "unknown_signer_is_refused",
    "host_holds_no_word",
    "every_case_is_there_once",
    "backup_is_whole",
    "drill_finds_equal_hashes",
];

#[test]
fn every_step_of_the_tour_passes_and_stands_in_the_object() {
    let mut command = Command::new(program().unwrap());
    command.args(["demo", "--tour", "--once", "--json", "--lang", "en"]);
    let began = Instant::now();
    let ended = run(command, 2 * PROMISED).unwrap();
    let (took, said) = (began.elapsed(), format!("{}{}", ended.stdout, ended.stderr));
    assert_eq!(ended.code, Some(0), "{said}");
    assert!(took < PROMISED, "{took:?}\n{said}");
    let summary: Value = serde_json::from_str(ended.stdout.trim()).unwrap();
    assert_eq!(summary["schema"], "tongban.demo/v1");
    let steps = summary["steps"].as_array().unwrap();
    let claims: Vec<&str> = steps
        .iter()
        .map(|step| step["claim"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(claims, CLAIMS);
    for step in steps {
        assert_eq!(step["outcome"], "pass", "{step}");
        assert!(
            step["seen"].is_string() && step["seconds"].is_number(),
            "{step}"
        );
    }
    is_kept(&summary);
    is_readable_english(&ended.stderr);
    let passed = ended
        .stderr
        .lines()
        .filter(|line| line.contains("] ") && line.contains(" PASS  "));
    assert_eq!(passed.count(), CLAIMS.len(), "{}", ended.stderr);
}

/// The recovery key is gone when a backup is to be opened: that step fails, what needs it is not reached, and all
/// the others pass.
#[test]
fn a_step_that_fails_says_why_and_where_to_look_and_the_tour_ends_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let house = folder.path().join("house");
    let mut demo = Playing::start(
        &["demo", "--tour", "--once", "--dir", house.to_str().unwrap()],
        &[],
    );
    demo.read_until(" PASS ");
    fs::remove_file(house.join("recovery.key")).unwrap();
    let rest = demo.read_to_its_end();
    assert_eq!(demo.ended(), Some(1), "{rest}");
    let lines: Vec<&str> = rest.lines().collect();
    let marked = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!((marked("] FAIL "), marked("] SKIP ")), (1, 1), "{rest}");
    assert_eq!(marked("] PASS "), CLAIMS.len() - 3, "{rest}");
    let failed = lines
        .iter()
        .position(|line| line.contains("] FAIL "))
        .unwrap();
    let reason = lines[failed..].join("");
    assert!(reason.contains("recovery.key"), "{rest}");
    let next = lines[failed..]
        .iter()
        .find_map(|line| line.strip_prefix("下一步: "));
    let mut shell = Command::new("sh");
    shell.args(["-c", next.expect("a command to look further")]);
    let looked = run(shell, PROMISED).unwrap();
    assert!(looked.stderr.contains("recovery.key"), "{}", looked.stderr);
    assert!(
        house.join("registry.json").is_file(),
        "what went wrong can be looked at"
    );
}

/// Where in the account it is interrupted: while the cities start, while a node is down, while the
/// tour looks for the next leader, while it backs a node up.
const INTERRUPTED_AT: [(&[&str], &str); 4] = [
    (&["demo", "--tour"], ""),
    (&["demo", "--lang", "en"], "kill -9"),
    (
        &["demo", "--tour", "--lang", "en", "--once"],
        "PASS  A file goes",
    ),
    (
        &["demo", "--tour", "--lang", "en", "--json"],
        "PASS  Counted",
    ),
];

#[test]
fn ctrl_c_leaves_no_process_and_no_folder_wherever_it_comes() {
    for (place, (arguments, at)) in INTERRUPTED_AT.into_iter().enumerate() {
        let mark = format!("{}-interrupted-{place}", std::process::id());
        let scratch = tempfile::tempdir().unwrap();
        let temporary = scratch.path().to_str().unwrap();
        let mut demo = Playing::start(arguments, &[(MARK, &mark), ("TMPDIR", temporary)]);
        let marked = format!("{MARK}={mark}");
        if at.is_empty() {
            let is_up = || Ok((processes_with(&marked).len() > 3).then_some(()));
            until(PROMISED, "some cities start", is_up).unwrap();
        } else {
            demo.read_until(at);
        }
        demo.interrupt();
        let rest = demo.read_to_its_end();
        assert_eq!(demo.ended(), Some(3), "{arguments:?} {rest}");
        assert_eq!(
            processes_with(&marked),
            Vec::<String>::new(),
            "{arguments:?}"
        );
        let left: Vec<_> = fs::read_dir(scratch.path()).unwrap().flatten().collect();
        assert!(left.is_empty(), "{arguments:?}: {left:?}");
    }
}

/// A demonstration whose account is read while it plays.
struct Playing {
    process: Ended,
    account: BufReader<Box<dyn std::io::Read>>,
}

impl Playing {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let is_for_machines = arguments.contains(&"--json");
        let (out, err) = if is_for_machines {
            (Stdio::null(), Stdio::piped())
        } else {
            (Stdio::piped(), Stdio::null())
        };
        let mut child = Command::new(program().unwrap())
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap();
        let account: Box<dyn std::io::Read> = match child.stdout.take() {
            Some(stdout) => Box::new(stdout),
            None => Box::new(child.stderr.take().unwrap()),
        };
        Self {
            process: Ended(child),
            account: BufReader::new(account),
        }
    }

    /// Reads on, to the end of a line that holds this.
    fn read_until(&mut self, what: &str) {
        let mut said = String::new();
        loop {
            let begin = said.len();
            let read = self.account.read_line(&mut said).unwrap();
            assert!(read > 0, "no {what:?} in {said}");
            if said[begin..].contains(what) {
                return;
            }
        }
    }

    fn read_to_its_end(&mut self) -> String {
        let mut rest = String::new();
        self.account.read_to_string(&mut rest).unwrap();
        rest
    }

    fn interrupt(&self) {
        let mut interrupt = Command::new("sh");
        interrupt.args(["-c", &format!("kill -INT {}", self.process.0.id())]);
        assert_eq!(run(interrupt, PROMISED).unwrap().code, Some(0));
    }

    /// Its exit code, once it has ended.
    fn ended(&mut self) -> Option<i32> {
        let ended = until(PROMISED, "the demo ends", || {
            Ok(self.process.0.try_wait()?)
        });
        ended.unwrap().code()
    }
}

/// What it shows to go on with is run as it stands, by a shell and by a client.
#[test]
fn the_commands_the_demo_shows_run_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let house = folder.path().join("a demo's house");
    let mark = format!("{}-stays-up", std::process::id());
    let arguments = ["demo", "--dir", house.to_str().unwrap()];
    let mut demo = Playing::start(&arguments, &[(MARK, &mark)]);
    let mut shown = Vec::new();
    for line in demo.account.by_ref().lines() {
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
    demo.interrupt();
    demo.read_to_its_end();
    assert_eq!(demo.ended(), Some(0));
    assert_eq!(
        processes_with(&format!("{MARK}={mark}")),
        Vec::<String>::new()
    );
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
