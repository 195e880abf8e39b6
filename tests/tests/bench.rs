//! The benchmarks are commands that run and end with one object; what they measure is asked of no test.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tongban_tests::process::{program, run};

/// Nodes start, work for some seconds, and end.
const LIMIT: Duration = Duration::from_mins(3);

/// Runs a benchmark and reads its last line; every named figure is above zero.
fn measured(arguments: &[&str], names: &[&str]) -> Value {
    let mut command = Command::new(program().unwrap());
    command.arg("bench").args(arguments).arg("--json");
    let ended = run(command, LIMIT).unwrap();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(0), "{said}");
    let last = ended.stdout.lines().next_back().unwrap_or_default();
    let figures: Value = serde_json::from_str(last).expect(&said);
    for name in names {
        let figure = figures[name].as_f64();
        assert!(figure.is_some_and(|figure| figure > 0.0), "{name}: {last}");
    }
    figures
}

#[test]
fn intake_is_measured_sealed_and_in_the_clear() {
    let load = ["--voters", "3", "--writers", "4", "--bytes", "800"];
    measured(
        &[&["intake", "--seconds", "1"], &load[..]].concat(),
        &[
            "cases_per_second",
            "p50_ms",
            "p99_ms",
            "cpu_us_per_case",
            "bytes_per_case",
        ],
    );
}

#[test]
fn a_route_over_long_lines_takes_no_less_than_its_round_trips() {
    let figures = measured(
        &["route", "--rtt-ms", "20", "--cases", "2"],
        &["p50_ms", "necessary_ms", "ratio", "sync_ms"],
    );
    let (taken, trips) = (&figures["p50_ms"], &figures["round_trips"]);
    let least = trips.as_f64().unwrap() * 20.0;
    assert!(taken.as_f64().unwrap() >= least, "{figures}");
}

#[test]
fn an_exchange_counts_what_the_other_city_acknowledged() {
    let figures = measured(
        &[
            "exchange",
            "--writers",
            "16",
            "--bytes",
            "1024",
            "--seconds",
            "1",
        ],
        &[
            "packets_per_second",
            "taken_in_per_second",
            "cpu_us_per_packet",
        ],
    );
    let backlog = &figures["backlog"];
    for name in ["packets_per_second", "cpu_us_per_packet", "packets"] {
        let figure = backlog[name].as_f64();
        assert!(
            figure.is_some_and(|figure| figure > 0.0),
            "{name}: {figures}"
        );
    }
}

#[test]
fn files_are_carried_beside_rsync() {
    let figures = measured(&["attachments", "--mib", "1", "--runs", "1"], &["runs"]);
    let size = &figures["sizes"][0];
    for name in [
        "mib_per_second",
        "rsync_mib_per_second",
        "rsync_fsync_mib_per_second",
    ] {
        let figure = size[name].as_f64();
        assert!(
            figure.is_some_and(|figure| figure > 0.0),
            "{name}: {figures}"
        );
    }
}

#[test]
fn where_rsync_is_missing_the_command_that_brings_it_comes_next() {
    let nothing = tempfile::tempdir().unwrap();
    let mut command = Command::new(program().unwrap());
    command
        .args(["bench", "attachments", "--json"])
        .env("PATH", nothing.path());
    let ended = run(command, LIMIT).unwrap();
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let said: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(said["code"], "TB8072");
    assert_eq!(said["next"], "apt-get install rsync");
}

#[test]
fn nodes_that_are_started_again_show_every_case() {
    let load = ["restart", "--cases", "50", "--writers", "4"];
    let measured_by = |ended: &str| {
        let figures = measured(
            &[&load[..], &[ended]].concat(),
            &[
                "first_answer_ms",
                "ready_ms",
                "whole_ms",
                "resident_mib",
                "data_mib",
                "empty_first_answer_ms",
                "empty_resident_mib",
            ],
        );
        let cases = figures["cases"].as_u64();
        assert!(cases.is_some_and(|cases| cases >= 50), "{figures}");
        assert_eq!(figures["killed"], ended == "--kill");
    };
    // Both wait for their nodes most of the time.
    thread::scope(|scope| {
        scope.spawn(|| measured_by("--quiet"));
        measured_by("--kill");
    });
}
