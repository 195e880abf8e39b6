//! The runtime as openraft and the node see it.

use std::io;
use std::time::Duration;

use openraft_rt::{AsyncRuntime, Oneshot, OneshotSender, OptionalSend, Select2};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::executor;
use super::instant::SimInstant;
use super::join::{JoinHandle, TaskKilled};
use super::limits::{Limits, Scheduling};
use super::mpsc::SimMpsc;
use super::mutex::AsyncMutex;
use super::oneshot::SimOneshot;
use super::sleep::{DeadlinePassed, Sleep, Timeout};
use super::watch::SimWatch;
use super::world::World;

/// The deterministic runtime: every call goes to the world of this thread, on behalf of the owner
/// whose task makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimRuntime;

impl AsyncRuntime for SimRuntime {
    type JoinError = TaskKilled;
    type JoinHandle<T: OptionalSend + 'static> = JoinHandle<T>;
    type Sleep = Sleep;
    type Instant = SimInstant;
    type TimeoutError = DeadlinePassed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = Timeout<T>;
    type ThreadLocalRng = Xoshiro256PlusPlus;
    type Mpsc = SimMpsc;
    type Watch = SimWatch;
    type Oneshot = SimOneshot;
    type Mutex<T: OptionalSend + 'static> = AsyncMutex<T>;

    fn spawn<T>(future: T) -> JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        let (sender, outcome) = SimOneshot::channel();
        let owner = executor::with(|world| world.owner());
        World::spawn(owner, async move {
            // Nobody has to wait for the outcome.
            let _ = sender.send(future.await);
        });
        JoinHandle::new(outcome)
    }

    fn sleep(duration: Duration) -> Sleep {
        Sleep::local(duration)
    }

    fn sleep_until(deadline: SimInstant) -> Sleep {
        Sleep::until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Timeout<F> {
        Timeout::new(future, Sleep::local(duration))
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: SimInstant,
        future: F,
    ) -> Timeout<F> {
        Timeout::new(future, Sleep::until(deadline))
    }

    fn select2<A, B>(
        a: A,
        b: B,
    ) -> impl Future<Output = Select2<A::Output, B::Output>> + OptionalSend
    where
        A: Future + OptionalSend,
        B: Future + OptionalSend,
    {
        super::select::select2(a, b)
    }

    /// A panic of a task ends the run, so no join ever reports one.
    fn is_panic(_: &TaskKilled) -> bool {
        false
    }

    fn thread_rng() -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(executor::with(|world| world.generators.next_u64()))
    }

    /// Begins a world of seed 1, in order: for openraft's own suite. Simulations use
    /// `World::reset`.
    fn new(_: usize) -> Self {
        World::reset_with(1, Scheduling::IN_ORDER, Limits::default());
        Self
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        World::block_on(future)
    }

    /// Runs inline when awaited: another thread would be outside the world.
    async fn spawn_blocking<F, T>(f: F) -> Result<T, io::Error>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(f())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_the_suite_of_openraft() {
        openraft_rt::testing::Suite::<SimRuntime>::test_all();
    }

    #[test]
    fn it_passes_the_suite_of_openraft_whatever_the_order_of_tasks() {
        for seed in 0..20 {
            let mut runtime = SimRuntime::new(1);
            World::reset(seed);
            openraft_rt::testing::Suite::<SimRuntime>::test_all_on(&mut runtime);
        }
    }
}
