//! The deterministic runtime: one thread, virtual time, tasks that belong to nodes, and channels,
//! all behind openraft's `AsyncRuntime`. Faults of disks and links are not here.

mod dice;
mod executor;
mod instant;
mod join;
mod limits;
mod local_clock;
mod mpsc;
mod mutex;
mod oneshot;
mod owner;
mod run;
mod select;
mod sim_runtime;
mod sleep;
mod task;
mod timer;
mod trace;
mod wait_queue;
mod watch;
mod world;

pub use dice::{Chance, Dice};
pub use executor::Counts;
pub(crate) use executor::world_number;
pub use instant::SimInstant;
pub use join::{JoinHandle, TaskKilled};
pub use limits::{Limits, Scheduling};
pub use local_clock::ClockSkew;
pub use mpsc::{MpscReceiver, MpscSender, MpscWeakSender, SimMpsc};
pub use mutex::{AsyncMutex, AsyncMutexGuard, LockFuture};
pub use oneshot::{OneshotReceiver, OneshotSender, SenderDropped, SimOneshot};
pub use owner::Owner;
pub use sim_runtime::SimRuntime;
pub use sleep::{DeadlinePassed, Sleep, Timeout};
pub use trace::{Trace, TraceHash, hash_bytes};
pub use wait_queue::lock;
pub use watch::{SimWatch, WatchReceiver, WatchRef, WatchSender};
pub use world::World;

#[cfg(test)]
mod tests;
