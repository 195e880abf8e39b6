//! What the driver of a simulation says to the world of its thread. A thread has one world at a
//! time: tasks reach it without carrying it, as they reach a real machine.

use std::time::Duration;

use super::dice::{Dice, nanoseconds};
use super::executor::{self, Counts};
use super::instant::SimInstant;
use super::limits::{Limits, Scheduling};
use super::local_clock::ClockSkew;
use super::owner::Owner;
use super::run;
use super::timer::Due;
use super::trace::{TraceHash, hash_bytes};

/// The world of this thread.
#[derive(Debug)]
pub enum World {}

/// The kind of event under which the driver's notes stand in the trace.
const TRACE_NOTE: u64 = 3;

impl World {
    /// Ends the world of this thread and begins one of this seed, shuffled, with the usual limits.
    pub fn reset(seed: u64) {
        Self::reset_with(seed, Scheduling::default(), Limits::default());
    }

    /// Ends the world of this thread and begins another. Panics if called from within a run.
    pub fn reset_with(seed: u64, scheduling: Scheduling, limits: Limits) {
        run::reset(seed, scheduling, limits);
    }

    /// The seed of this world.
    pub fn seed() -> u64 {
        executor::with(|world| world.seed)
    }

    /// A stream of draws of its own for one purpose and one number.
    pub fn dice(purpose: &str, number: u64) -> Dice {
        Dice::stream(Self::seed(), purpose, number)
    }

    /// True time since the world began. Nodes never see it.
    pub fn now() -> Duration {
        Duration::from_nanos(executor::with(|world| world.now_ns))
    }

    /// What the monotonic clock of an owner shows.
    pub fn instant_of(owner: Owner) -> SimInstant {
        SimInstant::from_reading(executor::with(|world| {
            world.clock(owner).reading(world.now_ns)
        }))
    }

    /// Changes an owner's monotonic clock from now on. It may jump ahead, never back.
    pub fn set_clock(owner: Owner, skew: ClockSkew) {
        executor::with(|world| {
            let clock = world.clock(owner).skewed(world.now_ns, skew);
            world.set_clock(owner, clock);
        });
    }

    /// On whose behalf code runs now.
    pub fn owner() -> Owner {
        executor::with(|world| world.owner())
    }

    /// Starts a task of an owner.
    pub fn spawn(owner: Owner, future: impl Future<Output = ()> + Send + 'static) {
        let refused = executor::with(|world| world.spawn(owner, Box::pin(future)));
        drop(refused);
    }

    /// Drops every task of an owner at once, without running any of it; says how many there were.
    pub fn kill(owner: Owner) -> usize {
        run::kill(owner)
    }

    /// Lets the world act after a delay of true time, whatever is killed meanwhile.
    pub fn after(delay: Duration, act: impl FnOnce() + Send + 'static) {
        executor::with(|world| {
            let at_ns = world.now_ns.saturating_add(nanoseconds(delay));
            world.set_timer(at_ns, Due::Act(Box::new(act)));
        });
    }

    /// Puts something that happened into the trace: three words and the bytes it was about.
    pub fn note(words: [u64; 3], bytes: &[u8]) {
        let about = hash_bytes(bytes);
        executor::with(|world| {
            world
                .trace
                .event([TRACE_NOTE, world.now_ns, words[0], words[1]]);
            world.trace.event([TRACE_NOTE, words[2], about, 0]);
        });
    }

    /// Hash and count of everything that happened so far.
    pub fn trace() -> TraceHash {
        executor::with(|world| world.trace.value())
    }

    /// What the run has done so far.
    pub fn counts() -> Counts {
        executor::with(|world| world.counts())
    }

    /// Runs the world for a length of true time.
    pub fn run_for(duration: Duration) {
        Self::run_until(Self::now() + duration);
    }

    /// Runs the world until a true time since it began.
    pub fn run_until(end: Duration) {
        run::run_until(nanoseconds(end));
    }

    /// Runs the world until a future is done, polled on the world's behalf. Panics if the world
    /// comes to rest before.
    pub fn block_on<F: Future>(future: F) -> F::Output {
        run::block_on(future)
    }
}
