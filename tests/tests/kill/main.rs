//! Six processes are killed at random moments while people keep handing applications in: nothing
//! acknowledged is lost, nothing is there twice. `TONGBAN_KILLS` asks for another number of kills.
//! All of them are asked a rate that two cores reach with an optimised program (`TONGBAN_BIN`).

mod killer;

use std::time::{Duration, Instant};

use tongban_tests::federation::{CITIES, Federation};
use tongban_tests::ledger::check_books;
use tongban_tests::load::Load;

use killer::{Killer, Toll};

/// A whole run; fewer are a try, which claims less.
const KILLS: usize = 120;

/// Kills of a whole run that met a node in the middle of a snapshot: a fifth of them hunt for one.
const SNAPSHOTTING_MIN: usize = 5;

/// What even a try reaches, beside whatever else the machine does.
const RATE_MIN_OF_A_TRY: usize = 40;

/// Acknowledged cases a second that must be reached while processes die.
const RATE_MIN: usize = 100;

/// Applications handed in a second: above the claim, as much as leaves time to catch up in.
const RATE_ASKED: u32 = 125;

/// Short logs, so that a run of minutes writes hundreds of snapshots.
const SHORT_LOGS: &str = "\n[replication]\nsnapshot_every_entries = 200\n";

/// Everything that was acknowledged is where it belongs within this time after the last kill.
const SETTLE_LIMIT: Duration = Duration::from_secs(90);

#[test]
fn no_kill_at_any_moment_loses_or_doubles_a_case() {
    let kills = number("TONGBAN_KILLS", KILLS);
    let seed = number("TONGBAN_SEED", 7);
    let mut federation = Federation::start_with("warn", SHORT_LOGS).unwrap();
    let load = Load::start(&federation, RATE_ASKED).unwrap();
    let began = Instant::now();
    let mut killer = Killer::new(&mut federation, seed as u64).unwrap();
    let toll = killer.kill(kills).unwrap();
    let (took, under_fire) = (began.elapsed(), load.acknowledged());
    let acknowledged = load.finish().unwrap();
    let seconds = usize::try_from(took.as_secs()).unwrap().max(1);
    let rate = under_fire / seconds;
    eprintln!(
        "seed {seed}: {toll:?}; {} acknowledged, {rate} a second",
        acknowledged.len()
    );
    check_books(&federation, &acknowledged, SETTLE_LIMIT).unwrap();
    assert_eq!(toll.by_city.iter().sum::<usize>(), kills);
    assert!(toll.leading > 0, "{toll:?}");
    let is_whole = kills >= KILLS;
    if is_whole {
        check_toll(&toll);
    } else {
        eprintln!(
            "{kills} kills are a try. Not checked: that every city was killed, that \
             {SNAPSHOTTING_MIN} kills met a snapshot, that {RATE_MIN} cases a second were \
             acknowledged. TONGBAN_KILLS={KILLS} checks all of it."
        );
    }
    let rate_min = if is_whole {
        RATE_MIN
    } else {
        RATE_MIN_OF_A_TRY
    };
    assert!(rate >= rate_min, "{rate} acknowledged cases a second");
    federation.end().unwrap();
}

/// The kills met what they are meant to meet.
fn check_toll(toll: &Toll) {
    assert!(toll.by_city.iter().all(|killed| *killed > 0), "{toll:?}");
    assert!(toll.leading >= KILLS / CITIES.len(), "{toll:?}");
    assert!(toll.snapshotting >= SNAPSHOTTING_MIN, "{toll:?}");
}

fn number(variable: &str, usual: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.map_or(usual, |asked| asked.parse().expect("a number"))
}
