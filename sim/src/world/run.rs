//! One seed from beginning to end: people work while things go wrong; then the world is calm, and
//! everything is looked through.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tongban_machine::{ground, item_terms};
use tongban_runtime::StoreView;
use tracing::level_filters::LevelFilter;

use super::events::Events;
use super::federation::{Federation, node};
use super::log_watch::LogWatch;
use super::options::{Options, Plant};
use super::outcome::Outcome;
use super::pace::Pace;
use super::scene::Scene;
use super::{auditors, calm, clerks, officers, trouble};
use crate::clock::true_civil_time;
use crate::invariants::group_time::GroupTime;
use crate::invariants::no_early_deadline::NoEarlyDeadline;
use crate::invariants::once_only::OnceOnly;
use crate::invariants::{Violation, clean_logs, documents, once_only, one_owner, served, standing};
use crate::runtime::{Limits, Owner, Scheduling, Sleep, World, lock};

/// Between two looks at the whole world.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A world without faults is set up within this: elections, registry, calendar and catalogue.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A calm world has nothing left to do within this: a desk may hold what a clock ahead of its time
/// took in.
pub const CALM_WITHIN: Duration = Duration::from_mins(1);

/// Polls and timers of one run: a hundred times what a busy one takes.
const EVENTS_MAX: u64 = 2_000_000_000;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// The seed.
    pub seed: u64,
    /// The planted fault, if any.
    pub plant: Option<Plant>,
    /// What the planted fault would draw, without the fault.
    pub is_control: bool,
    /// Print a line an event.
    pub events: bool,
    /// With events, print what nodes log down to this level.
    pub level: LevelFilter,
}

/// Runs one seed in this thread.
pub fn run(order: Order) -> Outcome {
    run_announced(order, |_| ())
}

/// Runs one seed, telling what it drew first.
pub fn run_announced(order: Order, announce: impl FnOnce(&Options)) -> Outcome {
    World::reset_with(
        order.seed,
        Scheduling::default(),
        Limits {
            events_max: EVENTS_MAX,
            ..Limits::default()
        },
    );
    let mut options = Options::draw(&mut World::dice("options", 0), order.plant);
    if order.is_control {
        options = options.without_plant();
    }
    announce(&options);
    run_with(options, order)
}

/// Runs with these options in the world that was reset for the seed.
pub fn run_with(options: Options, order: Order) -> Outcome {
    let events = Events::new(order.events);
    let watch = LogWatch::new(order.level, events.clone());
    let scene = Scene::set(options, events);
    let disks = scene.machines.iter();
    let disks = disks.map(|machine| (machine.owner(), machine.disk().clone()));
    watch.excuse(disks.collect());
    let mut judge = Judge::new(watch.clone());
    let ran = catch_unwind(AssertUnwindSafe(|| {
        tracing::subscriber::with_default(watch, || {
            World::block_on(Box::pin(whole_day(&scene, &mut judge)))
        })
    }));
    let violation = match ran {
        Ok(outcome) => outcome.err(),
        Err(panic) => Some(Violation::new("no panic", words_of(&*panic))),
    };
    Outcome::of(&scene, violation)
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// What is judged at every look, with its memory.
struct Judge {
    watch: Arc<LogWatch>,
    once: OnceOnly,
    time: GroupTime,
    deadlines: NoEarlyDeadline,
    pace: Pace,
}

impl Judge {
    fn new(watch: Arc<LogWatch>) -> Self {
        Self {
            watch,
            once: OnceOnly::default(),
            time: GroupTime::default(),
            deadlines: NoEarlyDeadline::default(),
            pace: Pace::default(),
        }
    }

    fn look(&mut self, scene: &Scene) -> Result<(), Violation> {
        if let Some(violation) = lock(&scene.applied).violations.first() {
            return Err(violation.clone());
        }
        clean_logs::check(&self.watch.errors())?;
        for machine in &scene.machines {
            if machine.disk().is_broken() {
                continue;
            }
            standing::check_start(machine.node(), machine.start_failure())?;
            if let Some(node) = machine.handle() {
                standing::check(&node.report())?;
            }
        }
        let sight = scene.sight();
        let shown = scene.shown_by_honest();
        self.time.check(&sight, &shown)?;
        let owed = self.pace.look(scene, &sight);
        scene.events.add("group time owed", owed.len() as u64);
        GroupTime::check_owed(&sight, &owed)?;
        let calendar = &scene.federation.calendar;
        self.deadlines.check(&sight, &shown, calendar)?;
        one_owner::check(&sight)?;
        self.once.check(&sight)?;
        documents::check(&sight)?;
        once_only::check_answers(&lock(&scene.oracle))
    }
}

async fn whole_day(scene: &Arc<Scene>, judge: &mut Judge) -> Result<(), Violation> {
    for place in 0..scene.machines.len() {
        scene.start(place);
    }
    if scene.options.trouble_at_start {
        trouble::begin(scene);
    } else {
        until_ready(scene, judge).await?;
        trouble::begin(scene);
    }
    send_people_to_work(scene);
    let end = World::now() + scene.options.trouble;
    while World::now() < end {
        Sleep::true_time(LOOK_EVERY).await;
        judge.look(scene)?;
    }
    scene.is_closing.store(true, Ordering::Relaxed);
    trouble::end(scene);
    until_calm(scene, judge).await
}

fn send_people_to_work(scene: &Arc<Scene>) {
    let (clerks, officers) = (scene.options.clerks, scene.options.officers);
    let auditors = scene.options.auditors;
    scene
        .under_way
        .fetch_add(clerks + officers + auditors, Ordering::Relaxed);
    for number in 0..clerks {
        World::spawn(Owner::WORLD, clerks::work(scene.clone(), number as u64));
    }
    for number in 0..officers {
        World::spawn(Owner::WORLD, officers::work(scene.clone(), number as u64));
    }
    for number in 0..auditors {
        World::spawn(Owner::WORLD, auditors::work(scene.clone(), number as u64));
    }
}

/// Waits until every group knows its time, registry, calendar and item.
async fn until_ready(scene: &Scene, judge: &mut Judge) -> Result<(), Violation> {
    let end = World::now() + READY_WITHIN;
    while !is_ready(scene) {
        if World::now() > end {
            let what = format!("not set up within {} s", READY_WITHIN.as_secs());
            return Err(Violation::new("every city serves", what));
        }
        Sleep::true_time(LOOK_EVERY).await;
        judge.look(scene)?;
    }
    scene.events.say(|| "every group is set up".to_owned());
    Ok(())
}

fn is_ready(scene: &Scene) -> bool {
    Federation::groups().all(|(group, voters)| {
        voters.into_iter().all(|place| {
            let view = StoreView::new(scene.machines[place].store().clone(), group);
            let here = ground(&view);
            here.time.unix_ms() > 0
                && here.registry > 0
                && here.calendar > 0
                && item_terms(&view, scene.federation.item.item).is_some()
        })
    })
}

async fn until_calm(scene: &Arc<Scene>, judge: &mut Judge) -> Result<(), Violation> {
    let took = calm::serve_all(scene).await;
    scene.events.say(|| format!("served: {took:?}"));
    judge.look(scene)?;
    served::check(&took)?;
    let end = World::now() + CALM_WITHIN;
    while let Err(waiting) = calm::waits(scene, &scene.sight()) {
        if World::now() > end {
            return Err(waiting);
        }
        Sleep::true_time(LOOK_EVERY).await;
        judge.look(scene)?;
    }
    // Reports of time come every few seconds.
    Sleep::true_time(Duration::from_secs(5)).await;
    judge.look(scene)?;
    GroupTime::check_calm(&scene.sight(), true_civil_time())?;
    calm::look_through(scene).await?;
    judge.look(scene)?;
    let deemed = judge.deadlines.len();
    scene.events.add("accepted by silence", deemed as u64);
    debug_assert_eq!(
        scene.machines[0].node(),
        node(0),
        "machines stand in the order of the ring"
    );
    Ok(())
}
