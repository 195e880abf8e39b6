//! `cargo verify`: the whole check of a change, step by step: formatting, lints, tests with the product they
//! run, doctests, the product alone, docs. It writes nothing outside `target/` and stops at the first step
//! that fails.
//! Its last line counts the tests.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tongban_tests::process::product;
use tongban_tests::tally::Tally;

/// One step of the check.
struct Step {
    name: &'static str,
    /// What cargo is told.
    arguments: &'static str,
    counts: Counts,
}

/// Where a step's test runner reports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Nothing,
    Stdout,
    Stderr,
}

const FORMATTING: Step = step("formatting", "fmt --all --check", Counts::Nothing);
const LINTS: Step = step(
    "lints",
    "clippy --locked --workspace --all-targets --features tongban/s3,tongban/otlp -- -D warnings",
    Counts::Nothing,
);
/// Tests of processes run the product with its assertions on, from the very libraries the other tests are
/// built with: with other features or optimised, it would take as long to build as everything else together.
/// So it has what is off by default too: attachments in a bucket, traces to a collector.
const BUILD: Step = step(
    "build",
    "build --locked --workspace --bins --tests --features tongban/s3,tongban/otlp",
    Counts::Nothing,
);
const TESTS: Step = step(
    "tests",
    "test --locked --workspace --lib --bins --tests --no-fail-fast --features tongban/s3,tongban/otlp",
    Counts::Stdout,
);
const TESTS_BY_NEXTEST: Step = step(
    "tests",
    "nextest run --locked --workspace --no-fail-fast --features tongban/s3,tongban/otlp",
    Counts::Stderr,
);
const DOCTESTS: Step = step(
    "doctests",
    "test --locked --workspace --doc --no-fail-fast --features tongban/s3,tongban/otlp",
    Counts::Stdout,
);
/// Nothing the product is made of stands on what only its tests bring, or on what is off by default.
const PRODUCT: Step = step(
    "product",
    "clippy --locked --workspace --bins -- -D warnings",
    Counts::Nothing,
);
const DOCS: Step = step(
    "docs",
    "doc --locked --workspace --no-deps",
    Counts::Nothing,
);

/// Most tests wait for nodes of their own, and as many as there are cores leave these idle (nextest has the same
/// number from `.config/nextest.toml`, and what may run beside what).
const LIBTEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "4");

const fn step(name: &'static str, arguments: &'static str, counts: Counts) -> Step {
    Step {
        name,
        arguments,
        counts,
    }
}

fn main() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let tests = if is_on_path("cargo-nextest") {
        TESTS_BY_NEXTEST
    } else {
        TESTS
    };
    let mut tally = Tally::default();
    let mut times = Vec::new();
    let mut failed = None;
    for step in [FORMATTING, LINTS, BUILD, tests, DOCTESTS, PRODUCT, DOCS] {
        say(&format!("== {}: cargo {}", step.name, step.arguments))?;
        let began = Instant::now();
        let passed = run(&step, &root, &mut tally)?;
        times.push((step.name, began.elapsed()));
        if !passed {
            failed = Some(step);
            break;
        }
    }
    report(&times, failed.as_ref(), tally)?;
    Ok(if failed.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn report(times: &[(&str, Duration)], failed: Option<&Step>, tally: Tally) -> Result<()> {
    for (name, time) in times {
        say(&format!("{name:12} {:7.1} s", time.as_secs_f64()))?;
    }
    if let Some(step) = failed {
        say(&format!(
            "FAILED at {}: cargo {}",
            step.name, step.arguments
        ))?;
    }
    say(&tally.to_string())
}

fn run(step: &Step, root: &Path, tally: &mut Tally) -> Result<bool> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args(step.arguments.split(' '))
        .current_dir(root)
        .stdin(Stdio::null());
    command
        .env("RUSTDOCFLAGS", "-D warnings")
        .env("TONGBAN_BIN", product(root)?);
    if env::var_os(LIBTEST_THREADS.0).is_none() {
        command.env(LIBTEST_THREADS.0, LIBTEST_THREADS.1);
    }
    // What cargo says of this very program is not for the ones it runs: build scripts look at it, and what
    // hangs on them would be built once more.
    let is_of_this = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_this) {
            command.env_remove(name);
        }
    }
    match step.counts {
        Counts::Nothing => {}
        Counts::Stdout => drop(command.stdout(Stdio::piped())),
        Counts::Stderr => drop(command.stderr(Stdio::piped())),
    }
    let mut child = command
        .spawn()
        .with_context(|| format!("cargo {}", step.arguments))?;
    pass_on(&mut child, tally)?;
    Ok(child.wait()?.success())
}

/// Shows what a runner says while it is counted.
fn pass_on(child: &mut Child, tally: &mut Tally) -> Result<()> {
    let stream: Box<dyn Read> = match (child.stdout.take(), child.stderr.take()) {
        (Some(stdout), _) => Box::new(stdout),
        (None, Some(stderr)) => Box::new(stderr),
        (None, None) => return Ok(()),
    };
    for line in BufReader::new(stream).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        tally.read(&line);
        say(&line)?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("stdout is closed")
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
