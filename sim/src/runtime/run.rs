//! Runs the world of this thread: polls what is ready, and when nothing is, moves virtual time to
//! the next timer. Begins and ends worlds, and kills what a machine was running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::executor::{Begun, Current, Executor, with};
use super::limits::{Limits, Scheduling};
use super::owner::Owner;
use super::timer::Due;

/// Rounds of dropping what a world holds before it is replaced. What is dropped cannot spawn, and
/// timers set by destructors hold little, so two suffice.
const EMPTYING_ROUNDS_MAX: usize = 8;

/// Ends the world of this thread and begins another.
pub(crate) fn reset(seed: u64, scheduling: Scheduling, limits: Limits) {
    assert!(
        with(|executor| !executor.is_running),
        "a world cannot be reset from within: the run that called has not returned"
    );
    // Destructors may set timers and wake tasks, but must reach the old world only: it is emptied
    // before it is replaced.
    for _ in 0..EMPTYING_ROUNDS_MAX {
        let (bodies, timers) = with(|executor| {
            executor.current.is_dead = true;
            (executor.tasks.take(None), executor.timers.take_all())
        });
        if bodies.is_empty() && timers.is_empty() {
            break;
        }
        drop((bodies, timers));
    }
    let new = Executor::new(seed, scheduling, limits);
    let old = with(|executor| std::mem::replace(executor, new));
    drop(old);
}

/// Drops every task of an owner without running any of it, and says how many there were.
pub(crate) fn kill(owner: Owner) -> usize {
    let (bodies, previous) = with(|executor| {
        let mut previous = executor.current;
        // The world itself has no machine: its driver goes on.
        if previous.owner == owner && owner != Owner::WORLD {
            previous.is_dead = true;
        }
        let is_dead = true;
        executor.current = Current { owner, is_dead };
        (executor.tasks.take(Some(owner)), previous)
    });
    let killed = bodies.len();
    drop(bodies);
    with(|executor| {
        executor.current = previous;
        executor.counts.killed += u64::try_from(killed).unwrap_or(u64::MAX);
    });
    killed
}

/// Marks the world as running for as long as it lives, also through a panic.
struct Running;

impl Running {
    fn enter() -> Self {
        let was_running = with(|executor| std::mem::replace(&mut executor.is_running, true));
        assert!(!was_running, "a world cannot be run from within itself");
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        with(|executor| {
            executor.is_running = false;
            executor.current = Current::default();
        });
    }
}

/// Says whose task it was when a poll panics: the panic itself goes on to the test or the driver.
struct PanicNote;

impl Drop for PanicNote {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Outside of `with`: whoever listens to logs may ask the world for its time.
            let (owner, at_ns, seed) =
                with(|executor| (executor.owner(), executor.now_ns, executor.seed));
            tracing::error!(%owner, at_ns, seed, "a simulated task panicked");
        }
    }
}

fn panic_if(stuck: Option<String>) {
    if let Some(stuck) = stuck {
        panic!("{stuck}");
    }
}

/// Polls one ready task; false if there is none.
fn step() -> bool {
    let Some(begun) = with(Executor::begin) else {
        return false;
    };
    let Begun {
        key,
        mut body,
        previous,
        stuck,
    } = begun;
    let note = PanicNote;
    panic_if(stuck);
    let poll = body.poll();
    let left = with(|executor| {
        let left = executor.finish(key, body, poll);
        if left.is_none() {
            executor.current = previous;
        }
        left
    });
    if left.is_some() {
        drop(left);
        with(|executor| executor.current = previous);
    }
    drop(note);
    true
}

/// Fires the next timer due at or before `end_ns`; false if there is none.
fn fire(end_ns: u64) -> bool {
    let Some((due, stuck)) = with(|executor| executor.next_due(end_ns)) else {
        return false;
    };
    panic_if(stuck);
    match due {
        Due::Wake(waker) => waker.wake(),
        Due::Act(act) => act(),
    }
    true
}

/// Runs everything up to `end_ns` and leaves virtual time there.
pub(crate) fn run_until(end_ns: u64) {
    let _running = Running::enter();
    loop {
        while step() {}
        if !fire(end_ns) {
            with(|executor| executor.advance(end_ns));
            return;
        }
    }
}

struct RootWaker(AtomicBool);

impl Wake for RootWaker {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs the world until a future of the caller's is done.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let _running = Running::enter();
    let woken = Arc::new(RootWaker(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = std::pin::pin!(future);
    loop {
        if woken.0.swap(false, Ordering::Relaxed) {
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(output) = polled {
                return output;
            }
        } else if !step() && !fire(u64::MAX) {
            let now_ns = with(|executor| executor.now_ns);
            panic!("deadlock: nothing is left to run at {now_ns} ns of virtual time");
        }
    }
}
