//! Six processes are killed at random moments while people keep handing applications in: nothing
//! acknowledged is lost, nothing is there twice. `TONGBAN_KILLS` asks for another number of kills.

mod killer;
mod ledger;
mod load;

use std::time::{Duration, Instant};

use tongban_tests::federation::{CITIES, Federation};

use killer::{Killer, Toll};
use ledger::check_books;
use load::Load;

/// A whole run; fewer are a try, which proves that books are right and nothing of rates.
const KILLS: usize = 120;

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
    if kills >= KILLS {
        check_toll(&toll);
        assert!(rate >= RATE_MIN, "{rate} acknowledged cases a second");
    }
    federation.end().unwrap();
}

/// The kills met what they are meant to meet.
fn check_toll(toll: &Toll) {
    assert!(toll.by_city.iter().all(|killed| *killed > 0), "{toll:?}");
    assert!(toll.leading >= KILLS / CITIES.len(), "{toll:?}");
    assert!(toll.snapshotting > 0, "{toll:?}");
}

fn number(variable: &str, usual: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.map_or(usual, |asked| asked.parse().expect("a number"))
}
