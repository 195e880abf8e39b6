//! What goes wrong while people work: crashes, cut lines, clocks that are set. Lost messages and
//! slow disks are drawn where they happen.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tongban_types::DAY_MS;

use super::federation::CITIES;
use super::governors::govern;
use super::scene::Scene;
use crate::invariants::Violation;
use crate::runtime::{Chance, Dice, Sleep, World, lock};

/// How often a machine is looked at for unsynced writes when a crash is aimed.
const AIM_EVERY: Duration = Duration::from_micros(100);

/// Looks before a crash comes unaimed: a second.
const AIM_LOOKS_MAX: u32 = 10_000;

/// Civil clocks are set wrong by at most this where the seed draws no larger offset.
const STEP_MS_MIN: i64 = 3_000;

/// A node with a broken disk is seen to stop within this: reports are appended every few seconds,
/// unless its group has no leader.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// A machine with a new device is back within this.
const AWAY_MAX: Duration = Duration::from_secs(3);

const HOUR_MS: i64 = 3_600_000;

/// Starts everything the seed turned on.
pub(crate) fn begin(scene: &Arc<Scene>) {
    let options = &scene.options;
    // Two at once: a crash during another's recovery is the rare case worth having.
    let crashers = if options.crash_every.is_some() { 2 } else { 0 };
    for number in 0..crashers {
        launch(scene, crash_machines(scene.clone(), number));
    }
    if options.cut_every.is_some() {
        launch(scene, cut_lines(scene.clone()));
    }
    if options.step_every.is_some() {
        launch(scene, step_clocks(scene.clone()));
    }
    if options.days_every.is_some() {
        launch(scene, let_days_pass(scene.clone()));
    }
    if options.move_every.is_some() {
        launch(scene, govern(scene.clone()));
    }
    if options.break_every.is_some() {
        launch(scene, break_devices(scene.clone()));
    }
}

fn launch(scene: &Arc<Scene>, trouble: impl Future<Output = ()> + Send + 'static) {
    scene.under_way.fetch_add(1, Ordering::Relaxed);
    let scene = scene.clone();
    World::spawn(crate::runtime::Owner::WORLD, async move {
        trouble.await;
        scene.under_way.fetch_sub(1, Ordering::Relaxed);
    });
}

/// Waits about as long as `mean`, in short steps so that calm is noticed; whether trouble goes on.
async fn wait(scene: &Scene, dice: &mut Dice, mean: Duration) -> bool {
    let step = Duration::from_millis(100);
    let mut left = dice.within(&(Duration::ZERO..=mean * 2));
    while !scene.is_calm() && left > Duration::ZERO {
        Sleep::true_time(left.min(step)).await;
        left = left.saturating_sub(step);
    }
    !scene.is_calm()
}

async fn crash_machines(scene: Arc<Scene>, number: u64) {
    let mut dice = World::dice("crashes", number);
    let every = scene.options.crash_every.unwrap_or(Duration::MAX);
    while wait(&scene, &mut dice, every * 2).await {
        let place = if scene.options.aimed {
            aim(&scene, &mut dice).await
        } else {
            dice.index(CITIES.len())
        };
        if scene.machines[place].is_down() {
            continue;
        }
        crash(&scene, place, &mut dice);
        let is_quick = dice.happens(scene.options.quick_restart);
        let longest = Duration::from_millis(if is_quick { 900 } else { 12_000 });
        let shortest = Duration::from_millis(1);
        let down = dice.within(&(shortest..=longest));
        let kind = if is_quick {
            "quick restart"
        } else {
            "slow restart"
        };
        Sleep::true_time(down).await;
        scene
            .events
            .count(kind, || format!("{} after {down:?}", CITIES[place].1));
        scene.start(place);
    }
}

/// Waits for a moment when a machine has something unsynced, a leader's if there is one, and says
/// which.
async fn aim(scene: &Scene, dice: &mut Dice) -> usize {
    let leaders = leaders(scene);
    let place = match leaders.get(dice.index(leaders.len())) {
        Some(place) => *place,
        None => dice.index(CITIES.len()),
    };
    let machine = &scene.machines[place];
    for _ in 0..AIM_LOOKS_MAX {
        if machine.disk().pending() > 0 || scene.is_calm() {
            break;
        }
        Sleep::true_time(AIM_EVERY).await;
    }
    place
}

fn leaders(scene: &Scene) -> Vec<usize> {
    let leads = |place: &usize| {
        let machine = &scene.machines[*place];
        machine.handle().is_some_and(|node| {
            let groups = node.report().groups;
            groups
                .iter()
                .any(|group| group.status.leader == Some(machine.node()))
        })
    };
    (0..CITIES.len()).filter(leads).collect()
}

fn crash(scene: &Scene, place: usize, dice: &mut Dice) {
    let machine = &scene.machines[place];
    let unsynced = machine.crash(&scene.net);
    let kind = if unsynced > 0 {
        "crash with unsynced writes"
    } else {
        "crash"
    };
    scene.events.count(kind, || {
        format!("{} with {unsynced} unsynced", CITIES[place].1)
    });
    if dice.happens(scene.options.wipe_state) {
        machine.store().wipe();
        scene
            .events
            .count("state wiped", || CITIES[place].1.to_owned());
    }
}

async fn cut_lines(scene: Arc<Scene>) {
    let mut dice = World::dice("cuts", 0);
    let every = scene.options.cut_every.unwrap_or(Duration::MAX);
    while wait(&scene, &mut dice, every).await {
        let one = dice.index(CITIES.len());
        let other = (one + 1 + dice.index(CITIES.len() - 1)) % CITIES.len();
        let (from, to) = (scene.machines[one].node(), scene.machines[other].node());
        let is_whole = dice.happens(scene.options.isolate);
        let names = || format!("{} to {}", CITIES[one].1, CITIES[other].1);
        if is_whole {
            scene
                .events
                .count("city isolated", || CITIES[one].1.to_owned());
            scene.net.isolate(from);
        } else if dice.happens(scene.options.one_way) {
            scene.events.count("line cut one way", names);
            scene.net.cut_one_way(from, to);
        } else {
            scene.events.count("line cut", names);
            scene.net.cut(from, to);
        }
        wait(&scene, &mut dice, Duration::from_secs(4)).await;
        if is_whole {
            scene
                .machines
                .iter()
                .for_each(|machine| scene.net.mend(from, machine.node()));
        } else {
            scene.net.mend(from, to);
        }
        scene.events.say(|| format!("mended: {}", names()));
    }
}

async fn step_clocks(scene: Arc<Scene>) {
    let mut dice = World::dice("steps", 0);
    let every = scene.options.step_every.unwrap_or(Duration::MAX);
    let range = scene.options.clock_offset_ms.max(STEP_MS_MIN);
    let liar = scene.options.liar.map(|(place, _)| place);
    while wait(&scene, &mut dice, every).await {
        let place = dice.index(CITIES.len());
        if Some(place) == liar {
            continue;
        }
        scene.note_clocks();
        let width = dice.below(2 * range.unsigned_abs() + 1);
        let by_ms = i64::try_from(width).unwrap_or(0) - range;
        let clock = scene.machines[place].clock();
        clock.correct();
        clock.step(by_ms);
        scene
            .events
            .count("clock set", || format!("{} to {by_ms} ms", CITIES[place].1));
    }
}

/// Days in which nothing happens: limits end, packets are too late, ids are forgotten.
async fn let_days_pass(scene: Arc<Scene>) {
    let mut dice = World::dice("days", 0);
    let every = scene.options.days_every.unwrap_or(Duration::MAX);
    while wait(&scene, &mut dice, every).await {
        // A packet lives three days, a notice five working days; an hour more and it is over.
        let days = [1, 3, 8][dice.index(3)];
        scene.let_pass(days * DAY_MS + HOUR_MS);
        scene
            .events
            .count("days passed", || format!("{days} and an hour"));
    }
}

async fn break_devices(scene: Arc<Scene>) {
    let mut dice = World::dice("devices", 0);
    let every = scene.options.break_every.unwrap_or(Duration::MAX);
    while wait(&scene, &mut dice, every).await {
        let place = dice.index(CITIES.len());
        let machine = &scene.machines[place];
        if machine.handle().is_none() {
            continue;
        }
        scene
            .events
            .count("device broken", || CITIES[place].1.to_owned());
        machine.disk().break_device();
        until_stopped(&scene, place).await;
        if machine.disk().is_broken() {
            crash(&scene, place, &mut dice);
            Sleep::true_time(dice.within(&(Duration::from_millis(1)..=AWAY_MAX))).await;
            scene.start(place);
        }
    }
}

/// A node whose disk is broken stops by itself, at the latest when it has something to write.
async fn until_stopped(scene: &Scene, place: usize) {
    let machine = &scene.machines[place];
    let end = World::now() + STOPPED_WITHIN;
    while machine.disk().is_broken() {
        let report = machine.handle().map(|node| node.report());
        let has_stopped = report.is_none_or(|report| {
            report.failed || report.groups.iter().any(|group| group.status.stopped)
        });
        if has_stopped {
            scene
                .events
                .count("stopped on a broken device", || CITIES[place].1.to_owned());
            return;
        }
        if World::now() > end {
            let what = format!("{} works on though its disk is broken", machine.node());
            let violation = Violation::new("no node gives up", what);
            lock(&scene.oracle).accuse(violation);
            return;
        }
        Sleep::true_time(Duration::from_millis(50)).await;
    }
}

/// Ends every fault and switches on what is off.
pub(crate) fn end(scene: &Scene) {
    scene.is_calm.store(true, Ordering::Relaxed);
    scene.net.calm();
    scene.note_clocks();
    for machine in &scene.machines {
        machine.disk().configure(|disk| disk.slow = Chance::NEVER);
        machine.clock().correct();
    }
    scene.events.say(|| "the world is calm".to_owned());
}
