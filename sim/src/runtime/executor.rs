//! The state of one world: its time, tasks, timers, clocks and trace. How it is run is in `run`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use super::dice::Dice;
use super::limits::{Limits, Scheduling};
use super::local_clock::LocalClock;
use super::owner::Owner;
use super::task::{Body, ReadyQueue, TaskFuture, TaskKey, Tasks};
use super::timer::{Due, Timers};
use super::trace::Trace;

/// What a run has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Times a task was polled.
    pub polls: u64,
    /// Timers fired.
    pub timers: u64,
    /// Tasks spawned.
    pub spawned: u64,
    /// Tasks dropped by kills.
    pub killed: u64,
}

/// On whose behalf code runs now.
#[derive(Clone, Copy, Default)]
pub(super) struct Current {
    pub(super) owner: Owner,
    /// Its machine is being switched off: what it spawns is dropped at once.
    pub(super) is_dead: bool,
}

/// A task about to be polled.
pub(super) struct Begun {
    pub(super) key: TaskKey,
    pub(super) body: Body,
    pub(super) previous: Current,
    /// A limit is reached.
    pub(super) stuck: Option<String>,
}

/// Kinds of events the executor itself puts into the trace.
const TRACE_POLL: u64 = 1;
const TRACE_TIMER: u64 = 2;

/// The state of one world.
pub(crate) struct Executor {
    /// Unlike any other world of this process, so that leftovers of earlier ones are recognised.
    pub(crate) world: u64,
    pub(crate) seed: u64,
    pub(crate) now_ns: u64,
    pub(crate) timers: Timers,
    pub(crate) trace: Trace,
    pub(crate) scheduling: Scheduling,
    /// Draws of order: of tasks, timers, branches of a select.
    pub(crate) order: Dice,
    /// Seeds of the generators that nodes ask the runtime for.
    pub(crate) generators: Dice,
    pub(super) tasks: Tasks,
    clocks: Vec<LocalClock>,
    pub(super) current: Current,
    pub(super) counts: Counts,
    limits: Limits,
    steps_at_instant: u64,
    /// Steps by owner at this instant, counted only once the limit is passed.
    spinning: BTreeMap<Owner, u64>,
    pub(super) is_running: bool,
}

thread_local! {
    /// A thread that ends leaks its world: destructors of its tasks may call on a world, and none is
    /// left by then.
    static EXECUTOR: RefCell<ManuallyDrop<Executor>> = RefCell::new(ManuallyDrop::new(
        Executor::new(0, Scheduling::IN_ORDER, Limits::default()),
    ));
}

/// Lends the executor of this thread. Nothing that may run foreign code (a waker's or a future's
/// destructor among it) is done inside.
pub(crate) fn with<T>(act: impl FnOnce(&mut Executor) -> T) -> T {
    EXECUTOR.with_borrow_mut(|executor| act(executor))
}

/// The number of this thread's world: unlike any other of this process.
pub(crate) fn world_number() -> u64 {
    with(|executor| executor.world)
}

impl Executor {
    pub(super) fn new(seed: u64, scheduling: Scheduling, limits: Limits) -> Self {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        let world = WORLDS.fetch_add(1, Ordering::Relaxed) + 1;
        ReadyQueue::reset(world);
        Self {
            world,
            seed,
            now_ns: 0,
            timers: Timers::default(),
            trace: Trace::default(),
            scheduling,
            order: Dice::stream(seed, "order", 0),
            generators: Dice::stream(seed, "generators", 0),
            tasks: Tasks::default(),
            clocks: Vec::new(),
            current: Current::default(),
            counts: Counts::default(),
            limits,
            steps_at_instant: 0,
            spinning: BTreeMap::new(),
            is_running: false,
        }
    }

    /// On whose behalf code runs now.
    pub(crate) fn owner(&self) -> Owner {
        self.current.owner
    }

    /// The monotonic clock of an owner.
    pub(crate) fn clock(&self, owner: Owner) -> LocalClock {
        self.clocks.get(owner.index()).copied().unwrap_or_default()
    }

    /// Replaces the monotonic clock of an owner.
    pub(crate) fn set_clock(&mut self, owner: Owner, clock: LocalClock) {
        if self.clocks.len() <= owner.index() {
            self.clocks.resize(owner.index() + 1, LocalClock::default());
        }
        self.clocks[owner.index()] = clock;
    }

    /// Takes a task in. It is given back if its machine is being switched off.
    pub(crate) fn spawn(&mut self, owner: Owner, future: TaskFuture) -> Result<(), TaskFuture> {
        if self.current.is_dead && self.current.owner == owner {
            return Err(future);
        }
        self.tasks.insert(self.world, owner, future);
        Ok(())
    }

    /// Sets a timer.
    pub(crate) fn set_timer(&mut self, at_ns: u64, due: Due) -> super::timer::TimerKey {
        let shuffle = if self.scheduling.shuffle_tasks {
            u32::try_from(self.order.next_u64() >> 32).expect("the high half of a word")
        } else {
            0
        };
        self.timers.set(at_ns, shuffle, due)
    }

    /// What the run has done so far.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            spawned: self.tasks.spawned(),
            ..self.counts
        }
    }

    /// Takes a ready task out to be polled, its owner being current from here on.
    pub(super) fn begin(&mut self) -> Option<Begun> {
        loop {
            let (order, shuffle) = (&mut self.order, self.scheduling.shuffle_tasks);
            let pick = |length| if shuffle { order.index(length) } else { 0 };
            let key = ReadyQueue::pop(pick)?;
            let Some((owner, body)) = self.tasks.start(key) else {
                continue;
            };
            self.counts.polls += 1;
            let stuck = self.check_limits(owner);
            let slot = u64::try_from(key.slot).unwrap_or(u64::MAX);
            let who = u64::from(owner.number());
            self.trace
                .event([TRACE_POLL, self.now_ns, slot << 16 | who, key.ordinal]);
            let is_dead = false;
            let previous = std::mem::replace(&mut self.current, Current { owner, is_dead });
            return Some(Begun {
                key,
                body,
                previous,
                stuck,
            });
        }
    }

    /// What to say if a limit is reached: said by the caller, once the executor is not lent out.
    fn check_limits(&mut self, owner: Owner) -> Option<String> {
        self.steps_at_instant += 1;
        if self.steps_at_instant >= self.limits.steps_per_instant_max {
            return self.on_standstill(owner);
        }
        let events_max = self.limits.events_max;
        let now_ns = self.now_ns;
        (self.counts.polls + self.counts.timers > events_max).then(|| {
            format!("the run reached its limit of {events_max} events at {now_ns} ns, in {owner}")
        })
    }

    /// Past the limit, watches a sample of further steps to learn who keeps time from going on.
    fn on_standstill(&mut self, owner: Owner) -> Option<String> {
        const SAMPLE: u64 = 1_000;
        *self.spinning.entry(owner).or_default() += 1;
        if self.spinning.values().sum::<u64>() < SAMPLE {
            return None;
        }
        let (owner, of_it) = self.spinning.iter().max_by_key(|(_, steps)| **steps)?;
        let (steps, now_ns) = (self.steps_at_instant, self.now_ns);
        Some(format!(
            "livelock: {steps} steps at {now_ns} ns of virtual time without progress; \
             of the last {SAMPLE}, {of_it} were of {owner}"
        ))
    }

    /// Parks or ends a polled task; what is left to drop is returned, with the owner still current.
    pub(super) fn finish(&mut self, key: TaskKey, body: Body, poll: Poll<()>) -> Option<Body> {
        if poll.is_pending() {
            return self.tasks.park(key, body).err();
        }
        self.tasks.end(key);
        Some(body)
    }

    /// Takes the next timer due at or before `end_ns`, virtual time being its time from here on.
    pub(super) fn next_due(&mut self, end_ns: u64) -> Option<(Due, Option<String>)> {
        let (at_ns, due) = self.timers.pop(end_ns)?;
        self.advance(at_ns);
        self.counts.timers += 1;
        let stuck = self.check_limits(Owner::WORLD);
        self.trace
            .event([TRACE_TIMER, self.now_ns, self.counts.timers, 0]);
        Some((due, stuck))
    }

    /// Moves virtual time on, never back.
    pub(super) fn advance(&mut self, to_ns: u64) {
        if to_ns > self.now_ns {
            self.now_ns = to_ns;
            self.steps_at_instant = 0;
            self.spinning.clear();
        }
    }
}
