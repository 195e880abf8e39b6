//! What a seed turns on and how strong: each seed draws some of the faults (swarm testing), since a
//! run with all of them at once hides what a few of them find.

use std::time::Duration;

use crate::disk::DiskOptions;
use crate::net::NetOptions;
use crate::runtime::{Chance, Dice};
use crate::store::StoreOptions;

/// A fault put into the program or its disk on purpose, which a simulator worth its name finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Plant {
    /// Disks answer a sync at once and finish it later.
    AnswerBeforeSync,
    /// Restarted leaders go on in their term without an election.
    LeaderRestore,
}

impl Plant {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnswerBeforeSync => "answer-before-sync",
            Self::LeaderRestore => "leader-restore",
        }
    }

    /// Whether a violation, as it is printed, is one that this fault leads to.
    pub fn is_found_by(self, violation: &str) -> bool {
        let name = violation.split(':').next().unwrap_or_default();
        self.breaks().contains(&name)
    }

    /// The invariants it breaks: whatever else a run stumbles over does not find it.
    const fn breaks(self) -> &'static [&'static str] {
        match self {
            Self::AnswerBeforeSync => &[
                "log hashes equal",
                "nothing lost",
                "once only",
                "reads see what was acknowledged",
            ],
            Self::LeaderRestore => &["log hashes equal", "replicas equal"],
        }
    }
}

/// How a world behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The planted fault, if any.
    pub plant: Option<Plant>,
    /// The network while there are faults.
    pub net: NetOptions,
    /// The disks while there are faults.
    pub disk: DiskOptions,
    /// The stores.
    pub store: StoreOptions,
    /// Length of the phase with faults.
    pub trouble: Duration,
    /// Between two crashes on average.
    pub crash_every: Option<Duration>,
    /// Crashes come when a machine, of a leader first, has something unsynced.
    pub aimed: bool,
    /// How often a crashed machine is back within a second.
    pub quick_restart: Chance,
    /// How often a crash also wipes the applied state.
    pub wipe_state: Chance,
    /// Between two cuts of a line on average.
    pub cut_every: Option<Duration>,
    /// How often a cut is of one direction only.
    pub one_way: Chance,
    /// How often a cut is of a whole city.
    pub isolate: Chance,
    /// Civil clocks are wrong by at most this, in milliseconds.
    pub clock_offset_ms: i64,
    /// Clocks drift by at most this.
    pub drift_ppm: i32,
    /// Between two steps of a civil clock on average.
    pub step_every: Option<Duration>,
    /// Between two times that days are let pass at once.
    pub days_every: Option<Duration>,
    /// Between two devices that break, each until its machine is switched off and on.
    pub break_every: Option<Duration>,
    /// The city whose clock is wrong beyond every bound, and by how much.
    pub liar: Option<(usize, i64)>,
    /// Between two orders that move a group's replicas, on average.
    pub move_every: Option<Duration>,
    /// Entries between two snapshots.
    pub snapshot_every_entries: u64,
    /// Entries kept behind a snapshot.
    pub kept_entries: u64,
    /// Size of a segment of the log.
    pub segment_bytes: u64,
    /// Clerks at work.
    pub clerks: usize,
    /// Officers at work.
    pub officers: usize,
    /// Auditors at work.
    pub auditors: usize,
    /// A person rests at most this long between two acts.
    pub rest: Duration,
    /// Faults begin before the groups have elected and set up anything.
    pub trouble_at_start: bool,
}

impl Options {
    /// What a seed draws.
    pub fn draw(dice: &mut Dice, plant: Option<Plant>) -> Self {
        let mut options = Self::calm(plant);
        options.draw_net(dice);
        options.draw_machines(dice);
        options.draw_clocks(dice);
        options.draw_people(dice);
        options.draw_rare(dice);
        if plant.is_some() {
            // What is planted shows where machines crash with unsynced writes and come back soon.
            options.crash_every = Some(Duration::from_millis(1_500));
            options.aimed = true;
            options.quick_restart = Chance::percent(85);
        }
        options
    }

    /// The same without what is planted: the control beside a find.
    #[must_use]
    pub fn without_plant(mut self) -> Self {
        self.plant = None;
        self.disk.answer_before_sync = false;
        self
    }

    /// A world without faults.
    pub fn calm(plant: Option<Plant>) -> Self {
        Self {
            plant,
            net: NetOptions::default(),
            disk: DiskOptions {
                answer_before_sync: plant == Some(Plant::AnswerBeforeSync),
                ..DiskOptions::default()
            },
            store: StoreOptions {
                lost_whole: Chance::NEVER,
                ..StoreOptions::default()
            },
            trouble: Duration::from_secs(40),
            crash_every: None,
            aimed: false,
            quick_restart: Chance::percent(50),
            wipe_state: Chance::NEVER,
            cut_every: None,
            one_way: Chance::NEVER,
            isolate: Chance::NEVER,
            clock_offset_ms: 0,
            drift_ppm: 0,
            step_every: None,
            days_every: None,
            break_every: None,
            liar: None,
            move_every: None,
            snapshot_every_entries: 5_000,
            kept_entries: 1_000,
            segment_bytes: 1 << 20,
            clerks: 4,
            officers: 4,
            auditors: 2,
            rest: Duration::from_secs(2),
            trouble_at_start: false,
        }
    }

    /// What is on, for people, a line a topic.
    pub fn lines(&self) -> Vec<String> {
        let net = &self.net;
        vec![
            format!("planted: {}", self.plant.map_or("nothing", Plant::name)),
            format!(
                "network: loss {}, answer loss {}, duplicates {}, delays {}, reordering {}",
                net.loss, net.answer_loss, net.duplicate, net.spike, net.reorder
            ),
            format!(
                "lines: cut every {:?}, one way {}, whole cities {}",
                self.cut_every, self.one_way, self.isolate
            ),
            format!(
                "crashes: every {:?}, aimed {}, quick restarts {}, state wiped {}, store lost {}",
                self.crash_every,
                self.aimed,
                self.quick_restart,
                self.wipe_state,
                self.store.lost_whole
            ),
            format!(
                "disks: slow {}, segments of {} bytes",
                self.disk.slow, self.segment_bytes
            ),
            format!(
                "snapshots: every {} entries, {} kept",
                self.snapshot_every_entries, self.kept_entries
            ),
            format!(
                "clocks: wrong by {} ms, drift {} ppm, set every {:?}, beyond bound {:?}",
                self.clock_offset_ms, self.drift_ppm, self.step_every, self.liar
            ),
            format!(
                "days pass every {:?}; a device breaks every {:?}; replicas move every {:?}",
                self.days_every, self.break_every, self.move_every
            ),
            format!(
                "people: {} clerks, {} officers, {} auditors, rest {:?}; {:?} of trouble, \
                 from the start {}",
                self.clerks,
                self.officers,
                self.auditors,
                self.rest,
                self.trouble,
                self.trouble_at_start
            ),
        ]
    }

    fn draw_net(&mut self, dice: &mut Dice) {
        let net = &mut self.net;
        net.loss = one_in_two(dice, &[1, 5, 15]);
        net.answer_loss = one_in_two(dice, &[1, 5, 10]);
        net.duplicate = one_in_two(dice, &[2, 10, 30]);
        net.spike = one_in_two(dice, &[1, 5, 10]);
        net.reorder = one_in_two(dice, &[1, 10, 30]);
        if dice.coin() {
            self.cut_every = Some(pick(dice, &[2_000, 5_000, 12_000]));
            self.one_way = Chance::percent(pick_number(dice, &[0, 30, 60]));
            self.isolate = Chance::percent(pick_number(dice, &[0, 30, 70]));
        }
    }

    fn draw_machines(&mut self, dice: &mut Dice) {
        if dice.below(4) > 0 {
            self.crash_every = Some(pick(dice, &[1_500, 4_000, 10_000]));
            self.aimed = dice.coin();
            self.quick_restart = Chance::percent(pick_number(dice, &[20, 50, 90]));
            self.wipe_state = one_in_two(dice, &[5, 30]);
            self.store.lost_whole = one_in_two(dice, &[5, 20]);
        }
        self.disk.slow = one_in_two(dice, &[1, 5, 20]);
        self.snapshot_every_entries = u64::from(pick_number(dice, &[5_000, 200, 60, 20]));
        self.kept_entries = u64::from(pick_number(dice, &[1_000, 50, 0]));
        self.segment_bytes = u64::from(pick_number(dice, &[1 << 20, 1 << 16, 1 << 14]));
    }

    fn draw_clocks(&mut self, dice: &mut Dice) {
        if dice.coin() {
            self.clock_offset_ms = i64::from(pick_number(dice, &[200, 2_000, 9_000]));
            self.drift_ppm = i32::try_from(pick_number(dice, &[50, 500, 5_000])).unwrap_or(0);
        }
        if dice.below(3) == 0 {
            self.step_every = Some(pick(dice, &[3_000, 10_000]));
        }
        if dice.below(4) == 0 {
            let size = i64::from(pick_number(dice, &[35_000, 50_000]));
            let place = dice.index(super::federation::CITIES.len());
            self.liar = Some((place, if dice.coin() { size } else { -size }));
        }
    }

    fn draw_people(&mut self, dice: &mut Dice) {
        self.clerks = dice.index(6) + 2;
        self.officers = dice.index(6) + 2;
        self.rest = pick(dice, &[500, 1_500, 4_000]);
        self.trouble_at_start = dice.below(3) == 0;
        self.trouble = pick(dice, &[20_000, 40_000, 60_000]);
    }

    /// Drawn last, so that the seeds of before keep what they drew.
    fn draw_rare(&mut self, dice: &mut Dice) {
        self.auditors = dice.index(3) + 1;
        if dice.below(4) == 0 {
            self.days_every = Some(pick(dice, &[5_000, 10_000]));
        }
        if dice.below(4) == 0 {
            self.break_every = Some(pick(dice, &[6_000, 15_000]));
        }
        if dice.below(3) == 0 {
            self.move_every = Some(pick(dice, &[1_500, 5_000]));
        }
    }
}

fn pick(dice: &mut Dice, milliseconds: &[u64]) -> Duration {
    Duration::from_millis(milliseconds[dice.index(milliseconds.len())])
}

fn pick_number(dice: &mut Dice, numbers: &[u32]) -> u32 {
    numbers[dice.index(numbers.len())]
}

fn one_in_two(dice: &mut Dice, percent: &[u32]) -> Chance {
    if dice.coin() {
        Chance::percent(pick_number(dice, percent))
    } else {
        Chance::NEVER
    }
}
