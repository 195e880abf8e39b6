//! The benchmarks are commands that run and end with one object; what they measure is asked of no test.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tongban_tests::process::{program, run};

/// Three nodes start, take in for a second twice, and end.
const LIMIT: Duration = Duration::from_mins(3);

#[test]
fn intake_is_measured_sealed_and_in_the_clear() {
    let mut command = Command::new(program().unwrap());
    command.args(["bench", "intake", "--voters", "3", "--writers", "4"]);
    command.args(["--bytes", "800", "--seconds", "1", "--json"]);
    let ended = run(command, LIMIT).unwrap();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, Some(0), "{said}");
    let last = ended.stdout.lines().next_back().unwrap_or_default();
    let figures: Value = serde_json::from_str(last).expect(&said);
    for name in [
        "cases_per_second",
        "p50_ms",
        "p99_ms",
        "cpu_us_per_case",
        "bytes_per_case",
    ] {
        let figure = figures[name].as_f64();
        assert!(figure.is_some_and(|figure| figure > 0.0), "{name}: {last}");
    }
}
