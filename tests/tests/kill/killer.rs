//! Kills processes one after another, at random moments and at chosen ones: leaders, and nodes in
//! the middle of writing a snapshot. Each is started again a moment later.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

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
    /// Left a snapshot behind that was not whole, begun in that life.
    pub(crate) snapshotting: usize,
}

/// Unfinished snapshots of a node: the same name written again is another one.
type Unfinished = BTreeSet<(PathBuf, SystemTime)>;

pub(crate) struct Killer<'f> {
    federation: &'f mut Federation,
    watchers: Vec<Client>,
    dice: Dice,
    /// Which processes are to be started again, and when.
    away: Vec<(Instant, usize)>,
    /// What earlier kills left behind, by city: it says nothing of what the node does now.
    left: [Unfinished; 6],
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
            left: Default::default(),
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
        let leaders = self.leaders();
        let running: Vec<usize> = self.running().collect();
        let wants_leader = !leaders.is_empty() && self.dice.once_in(LEADER_ONCE_IN);
        let among = if wants_leader { &leaders } else { &running };
        let chosen = among[self.dice.below(among.len())];
        self.toll.leading += usize::from(leaders.contains(&chosen));
        self.kill_one(chosen)
    }

    fn kill_one(&mut self, city: usize) -> Result<()> {
        self.federation.kill(city)?;
        self.toll.by_city[city] += 1;
        if self.has_unfinished_snapshot(city) {
            self.toll.snapshotting += 1;
        }
        self.left[city] = self.unfinished(city);
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

    /// Processes that lead a group, by their own word.
    fn leaders(&mut self) -> Vec<usize> {
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
        leaders
    }

    /// A process that is writing a snapshot right now.
    fn snapshotting(&self) -> Option<usize> {
        self.running()
            .find(|city| self.has_unfinished_snapshot(*city))
    }

    fn has_unfinished_snapshot(&self, city: usize) -> bool {
        !self.unfinished(city).is_subset(&self.left[city])
    }

    fn unfinished(&self, city: usize) -> Unfinished {
        let folder = self.federation.places[city].data.join("snapshots");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let parts = entries.filter_map(|entry| {
            let path = entry.path();
            let is_part = path.extension().is_some_and(|ending| ending == "part");
            // Gone meanwhile: it was finished.
            is_part.then_some((path, entry.metadata().ok()?.modified().ok()?))
        });
        parts.collect()
    }

    fn up_to_ms(&mut self, ms_max: usize) -> Duration {
        Duration::from_millis(self.dice.below(ms_max) as u64)
    }
}
