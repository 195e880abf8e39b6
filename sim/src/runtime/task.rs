//! Tasks, their wakers, and the queue of those that are ready.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::owner::Owner;

/// What a task does.
pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Names one task of a world for ever: slots are used again, ordinals are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskKey {
    pub(crate) slot: usize,
    pub(crate) ordinal: u64,
}

struct TaskWaker {
    world: u64,
    key: TaskKey,
    queued: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            ReadyQueue::push(self.world, self.key);
        }
    }
}

thread_local! {
    static READY: RefCell<ReadyQueue> = RefCell::default();
}

/// The tasks that are ready, apart from the executor so that waking needs nothing of it.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    world: u64,
    queue: VecDeque<TaskKey>,
}

impl ReadyQueue {
    /// Empties the queue for a new world; wakers of earlier ones do nothing from now on.
    pub(crate) fn reset(world: u64) {
        READY.with_borrow_mut(|ready| {
            ready.world = world;
            ready.queue.clear();
        });
    }

    fn push(world: u64, key: TaskKey) {
        // A thread that ends drops its world after its queue: then nobody is left to wake.
        let _ = READY.try_with(|ready| {
            let mut ready = ready.borrow_mut();
            if ready.world == world {
                ready.queue.push_back(key);
            }
        });
    }

    /// Takes the task at the place that `pick` names, given the length; the first if it names 0.
    pub(crate) fn pop(pick: impl FnOnce(usize) -> usize) -> Option<TaskKey> {
        READY.with_borrow_mut(|ready| match ready.queue.len() {
            0 => None,
            1 => ready.queue.pop_front(),
            length => match pick(length) {
                0 => ready.queue.pop_front(),
                place => ready.queue.swap_remove_back(place),
            },
        })
    }
}

/// A task's future with its waker.
pub(crate) struct Body {
    future: TaskFuture,
    waker: Waker,
    wake: Arc<TaskWaker>,
}

impl Body {
    /// Polls the future once. Wakes from here on queue the task again.
    pub(crate) fn poll(&mut self) -> Poll<()> {
        self.wake.queued.store(false, Ordering::Relaxed);
        let mut context = Context::from_waker(&self.waker);
        self.future.as_mut().poll(&mut context)
    }
}

#[derive(Default)]
struct Slot {
    /// 0 marks a free slot.
    ordinal: u64,
    owner: Owner,
    /// Absent while the task is being polled.
    body: Option<Body>,
}

/// All tasks of a world.
#[derive(Default)]
pub(crate) struct Tasks {
    slots: Vec<Slot>,
    free: Vec<usize>,
    spawned: u64,
}

impl Tasks {
    /// Takes a task in and queues it.
    pub(crate) fn insert(&mut self, world: u64, owner: Owner, future: TaskFuture) {
        self.spawned += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        let key = TaskKey {
            slot,
            ordinal: self.spawned,
        };
        let wake = Arc::new(TaskWaker {
            world,
            key,
            queued: AtomicBool::new(true),
        });
        let body = Body {
            future,
            waker: Waker::from(Arc::clone(&wake)),
            wake,
        };
        self.slots[slot] = Slot {
            ordinal: key.ordinal,
            owner,
            body: Some(body),
        };
        ReadyQueue::push(world, key);
    }

    /// Takes a task out to be polled; `None` if it has ended or was killed.
    pub(crate) fn start(&mut self, key: TaskKey) -> Option<(Owner, Body)> {
        let slot = &mut self.slots[key.slot];
        if slot.ordinal != key.ordinal {
            return None;
        }
        slot.body.take().map(|body| (slot.owner, body))
    }

    /// Puts a polled task back to wait; gives the body back if the task was killed meanwhile.
    pub(crate) fn park(&mut self, key: TaskKey, body: Body) -> Result<(), Body> {
        let slot = &mut self.slots[key.slot];
        if slot.ordinal != key.ordinal {
            return Err(body);
        }
        slot.body = Some(body);
        Ok(())
    }

    /// Frees the slot of a task that has ended, unless it was killed meanwhile.
    pub(crate) fn end(&mut self, key: TaskKey) {
        if self.slots[key.slot].ordinal == key.ordinal {
            self.release(key.slot);
        }
    }

    /// Takes out all tasks of an owner, or of everybody, to be dropped outside.
    pub(crate) fn take(&mut self, owner: Option<Owner>) -> Vec<Body> {
        let mut bodies = Vec::new();
        for slot in 0..self.slots.len() {
            let found = &self.slots[slot];
            if found.ordinal > 0 && owner.is_none_or(|owner| found.owner == owner) {
                bodies.extend(self.release(slot));
            }
        }
        bodies
    }

    /// How many tasks were ever spawned.
    pub(crate) fn spawned(&self) -> u64 {
        self.spawned
    }

    fn release(&mut self, slot: usize) -> Option<Body> {
        self.free.push(slot);
        self.slots[slot].ordinal = 0;
        self.slots[slot].body.take()
    }
}
