//! The civil clock of one machine: wrong by an offset, running fast or slow, and stepped now and
//! then, as clocks set by people and by time servers are.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use tongban_runtime::seams::WallClock;
use tongban_types::Timestamp;

use crate::runtime::{World, lock, world_number};

/// True civil time when a world begins: Monday 2026-03-02T01:00:00Z, nine in the morning in China,
/// a working day.
pub const WORLD_BEGINS: Timestamp = Timestamp::from_unix_ms(1_772_413_200_000);

thread_local! {
    /// The world that days were let pass in, and how many milliseconds of them.
    static PASSED: Cell<(u64, i64)> = const { Cell::new((0, 0)) };
}

/// True civil time now.
pub fn true_civil_time() -> Timestamp {
    let elapsed = World::now().as_millis();
    WORLD_BEGINS.plus_ms(i64::try_from(elapsed).unwrap_or(i64::MAX) + passed_ms())
}

fn passed_ms() -> i64 {
    let (world, ms) = PASSED.get();
    if world == world_number() { ms } else { 0 }
}

/// Lets civil time pass at once, for all clocks alike: days in which nothing happens cost nothing.
/// Each clock stays as wrong as it was.
pub fn let_pass<'a>(by_ms: i64, clocks: impl Iterator<Item = &'a SkewedClock> + Clone) {
    clocks.clone().for_each(|clock| lock(&clock.0).settle());
    PASSED.set((world_number(), passed_ms() + by_ms));
    for clock in clocks {
        let mut setting = lock(&clock.0);
        setting.since = true_civil_time();
        setting.shown = setting.shown.plus_ms(by_ms);
    }
}

/// How a machine's civil clock is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CivilSkew {
    /// Milliseconds ahead of true time; negative if behind.
    pub ahead_ms: i64,
    /// Parts in a million by which it runs fast; negative if slow.
    pub drift_ppm: i32,
}

/// A machine's civil clock. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SkewedClock(Arc<Mutex<Setting>>);

#[derive(Debug)]
struct Setting {
    /// True time when it was last set.
    since: Timestamp,
    /// What it showed then.
    shown: Timestamp,
    drift_ppm: i32,
    /// Times it was set by hand.
    sets: u64,
}

impl SkewedClock {
    /// A clock that is this wrong from now on.
    pub fn new(skew: CivilSkew) -> Self {
        Self(Arc::new(Mutex::new(Setting {
            since: true_civil_time(),
            shown: true_civil_time().plus_ms(skew.ahead_ms),
            drift_ppm: skew.drift_ppm,
            sets: 0,
        })))
    }

    /// How often it was set by hand.
    pub fn sets(&self) -> u64 {
        lock(&self.0).sets
    }

    /// Moves what the clock shows; back if negative.
    pub fn step(&self, by_ms: i64) {
        let mut setting = lock(&self.0);
        setting.settle();
        setting.shown = setting.shown.plus_ms(by_ms);
        setting.sets += 1;
    }

    /// Changes how fast it runs from now on; what it shows stays.
    pub fn set_drift(&self, drift_ppm: i32) {
        let mut setting = lock(&self.0);
        setting.settle();
        setting.drift_ppm = drift_ppm;
    }

    /// Sets it right: it shows true time and runs true from now on.
    pub fn correct(&self) {
        let mut setting = lock(&self.0);
        setting.since = true_civil_time();
        setting.shown = setting.since;
        setting.drift_ppm = 0;
        setting.sets += 1;
    }
}

impl Setting {
    fn reading(&self) -> Timestamp {
        let elapsed = true_civil_time().ms_since(self.since);
        let drift = i128::from(elapsed) * i128::from(self.drift_ppm) / 1_000_000;
        let drift = i64::try_from(drift).unwrap_or(0);
        self.shown.plus_ms(elapsed.saturating_add(drift))
    }

    fn settle(&mut self) {
        self.shown = self.reading();
        self.since = true_civil_time();
    }
}

impl WallClock for SkewedClock {
    fn now(&self) -> Timestamp {
        lock(&self.0).reading()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_world_begins_on_a_monday_morning_in_china() {
        let day = WORLD_BEGINS.china_day();
        assert_eq!((day.to_string().as_str(), day.weekday()), ("2026-03-02", 1));
        assert_eq!(WORLD_BEGINS.ms_since(day.first_ms()), 9 * 3_600_000);
    }

    #[test]
    fn offset_drift_and_steps_add_up() {
        World::reset(1);
        let clock = SkewedClock::new(CivilSkew {
            ahead_ms: -1_500,
            drift_ppm: 200,
        });
        assert_eq!(clock.now().ms_since(true_civil_time()), -1_500);
        World::run_for(Duration::from_secs(1_000));
        assert_eq!(clock.now().ms_since(true_civil_time()), -1_500 + 200);
        clock.step(60_000);
        assert_eq!(clock.now().ms_since(true_civil_time()), 58_700);
        clock.set_drift(-1_000);
        World::run_for(Duration::from_secs(1_000));
        assert_eq!(clock.now().ms_since(true_civil_time()), 57_700);
        clock.correct();
        World::run_for(Duration::from_secs(1_000));
        assert_eq!(clock.now(), true_civil_time());
    }

    #[test]
    fn days_pass_for_all_clocks_and_leave_each_as_wrong_as_it_was() {
        World::reset(1);
        let wrong = |ahead_ms, drift_ppm| CivilSkew {
            ahead_ms,
            drift_ppm,
        };
        let clocks =
            [(-1_500, 5_000), (700, 0)].map(|(ahead, drift)| SkewedClock::new(wrong(ahead, drift)));
        let before = true_civil_time();
        let_pass(5 * 86_400_000, clocks.iter());
        let_pass(86_400_000, clocks.iter());
        assert_eq!(true_civil_time().ms_since(before), 6 * 86_400_000);
        let wrong_by = clocks.map(|clock| clock.now().ms_since(true_civil_time()));
        assert_eq!(wrong_by, [-1_500, 700]);
        World::reset(1);
        assert_eq!(true_civil_time(), WORLD_BEGINS);
    }

    #[test]
    fn clones_are_one_clock() {
        World::reset(1);
        let clock = SkewedClock::new(CivilSkew::default());
        clock.clone().step(5);
        assert_eq!(clock.now().ms_since(true_civil_time()), 5);
    }
}
