//! Kills processes one after another, at random moments and at chosen ones: leaders, and nodes in
//! the middle of writing a snapshot. Each is started again a moment later.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use tongban_tests::client::Client;
use tongban_tests::federation::{CITIES, Federation};
use tongban_tests::power_cut::Dice;

/// Between two kills, at most; half of it on average.
const KILL_EVERY_MS_MAX: usize = 3_200;

/// A process is away for this long at most before it is started again.
const AWAY_MS_MAX: usize = 700;

/// Snapshots take milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Every so often the victim is a leader.
const LEADER_ONCE_IN: usize = 3;

/// Of ten kills at most so many wait for a snapshot, so that most stay random.
const SNAPSHOTS_OF_TEN: usize = 2;

/// What was killed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Toll {
    pub(crate) by_city: [usize; 6],
    /// Led a group when asked just before.
    pub(crate) leading: usize,
    /// Left a snapshot behind that was not whole.
    pub(crate) snapshotting: usize,
}

pub(crate) struct Killer<'f> {
    federation: &'f mut Federation,
    watchers: Vec<Client>,
    dice: Dice,
    /// Which processes are to be started again, and when.
    away: Vec<(Instant, usize)>,
    toll: Toll,
}

impl<'f> Killer<'f> {
    pub(crate) fn new(federation: &'f mut Federation, seed: u64) -> Result<Self> {
        let watchers = (0..CITIES.len()).map(|city| federation.person(city, "operator", "killer"));
        Ok(Self {
            watchers: watchers.collect::<Result<_>>()?,
            federation,
            dice: Dice::new(seed),
            away: Vec::new(),
            toll: Toll::default(),
        })
    }

    /// Kills so many times, and returns when every process leads or follows again.
    pub(crate) fn kill(&mut self, kills: usize) -> Result<Toll> {
        for done in 0..kills {
            let due = Instant::now() + self.up_to_ms(KILL_EVERY_MS_MAX);
            let hunts = self.toll.snapshotting * 10 < done * SNAPSHOTS_OF_TEN + 10;
            let victim = loop {
                self.start_those_due()?;
                let caught = if hunts { self.snapshotting() } else { None };
                if caught.is_some() || Instant::now() >= due {
                    break caught;
                }
                thread::sleep(LOOK_EVERY);
            };
            match victim {
                Some(city) => self.kill_one(city)?,
                None => self.kill_anyone()?,
            }
        }
        while !self.away.is_empty() {
            self.start_those_due()?;
            thread::sleep(LOOK_EVERY);
        }
        for city in 0..CITIES.len() {
            self.federation.until_leading(city)?;
        }
        Ok(self.toll.clone())
    }

    fn kill_anyone(&mut self) -> Result<()> {
        if self.dice.once_in(LEADER_ONCE_IN)
            && let Some(leader) = self.leader()
        {
            self.toll.leading += 1;
            return self.kill_one(leader);
        }
        let running: Vec<usize> = self.running().collect();
        let chosen = running[self.dice.below(running.len())];
        self.kill_one(chosen)
    }

    fn kill_one(&mut self, city: usize) -> Result<()> {
        self.federation.kill(city)?;
        self.toll.by_city[city] += 1;
        if self.has_unfinished_snapshot(city) {
            self.toll.snapshotting += 1;
        }
        let back = Instant::now() + self.up_to_ms(AWAY_MS_MAX);
        self.away.push((back, city));
        Ok(())
    }

    fn start_those_due(&mut self) -> Result<()> {
        let now = Instant::now();
        let (due, later) = self.away.iter().partition(|(back, _)| *back <= now);
        self.away = later;
        let due: Vec<(Instant, usize)> = due;
        due.into_iter()
            .try_for_each(|(_, city)| self.federation.start_one(city))
    }

    fn running(&self) -> impl Iterator<Item = usize> + '_ {
        (0..CITIES.len()).filter(|city| self.federation.is_running(*city))
    }

    /// A process that leads a group, by its own word.
    fn leader(&mut self) -> Option<usize> {
        let running: Vec<usize> = self.running().collect();
        let mut leaders = Vec::new();
        for city in running {
            let Ok(status) = self.watchers[city].read("/api/v1/status") else {
                continue;
            };
            let mut groups = status["groups"].as_array().into_iter().flatten();
            if groups.any(|group| group["leader"] == status["node"]) {
                leaders.push(city);
            }
        }
        let chosen = self.dice.below(leaders.len());
        leaders.get(chosen).copied()
    }

    /// A process that is writing a snapshot right now.
    fn snapshotting(&self) -> Option<usize> {
        self.running()
            .find(|city| self.has_unfinished_snapshot(*city))
    }

    fn has_unfinished_snapshot(&self, city: usize) -> bool {
        let folder = self.federation.places[city].data.join("snapshots");
        let Ok(entries) = fs::read_dir(folder) else {
            return false;
        };
        entries.flatten().any(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "part")
        })
    }

    fn up_to_ms(&mut self, ms_max: usize) -> Duration {
        Duration::from_millis(self.dice.below(ms_max) as u64)
    }
}
