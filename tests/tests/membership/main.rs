//! Machines that come and go in good order. Groups move from machine to machine by signed orders while people keep handing applications in and
//! processes are killed: nothing acknowledged is lost, nothing is there twice. `TONGBAN_CHANGES` asks for
//! another number of changes.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod drain;
mod mover;

use std::time::Duration;

use tongban_tests::federation::{CITIES, Federation};
use tongban_tests::ledger::check_books;
use tongban_tests::load::Load;

use mover::Mover;

/// A whole run: every group moves thrice, and some once more.
const CHANGES: usize = 20;

/// Applications handed in a second: people, not a benchmark.
const RATE_ASKED: u32 = 30;

/// What is acknowledged between two changes at least: the groups serve while they move.
const ACKNOWLEDGED_A_CHANGE_MIN: usize = 10;

/// Short logs, so that newcomers get snapshots.
const SHORT_LOGS: &str = "\n[replication]\nsnapshot_every_entries = 200\n";

/// Everything that was acknowledged is where it belongs within this time after the last change.
const SETTLE_LIMIT: Duration = Duration::from_secs(90);

#[test]
fn no_change_of_members_under_load_and_kills_loses_or_doubles_a_case() {
    let changes = number("TONGBAN_CHANGES", CHANGES);
    let seed = number("TONGBAN_SEED", 7);
    let mut federation = Federation::start_with("warn", SHORT_LOGS).unwrap();
    let load = Load::start(&federation, RATE_ASKED).unwrap();
    let mut mover = Mover::new(&mut federation, seed as u64);
    for change in 0..changes {
        mover.change(change % CITIES.len()).unwrap();
    }
    let toll = mover.finish().unwrap();
    let acknowledged = load.finish().unwrap();
    eprintln!("seed {seed}: {toll:?}; {} acknowledged", acknowledged.len());
    check_books(&federation, &acknowledged, SETTLE_LIMIT).unwrap();
    assert!(acknowledged.len() >= changes * ACKNOWLEDGED_A_CHANGE_MIN);
    assert!(
        toll.killed_leading > 0 && toll.killed_coming > 0,
        "{toll:?}"
    );
    federation.end().unwrap();
}

fn number(variable: &str, usual: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.map_or(usual, |asked| asked.parse().expect("a number"))
}
