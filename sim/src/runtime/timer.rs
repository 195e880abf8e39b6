//! Timers in order of virtual time. A binary heap with lazy removal: most timers of a consensus
//! node are time limits that are cancelled, so cancelling must cost next to nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

/// What happens when a timer is due.
pub(crate) enum Due {
    /// A task is woken.
    Wake(Waker),
    /// The world acts: a message arrives, a device finishes.
    Act(Box<dyn FnOnce() + Send>),
}

/// Names one timer for as long as it has neither fired nor been cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    slot: usize,
    sequence: u64,
}

/// `shuffle` stands before `sequence`: timers of one instant fire in drawn order if one is drawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at_ns: u64,
    shuffle: u32,
    sequence: u64,
    slot: usize,
}

#[derive(Default)]
struct Slot {
    sequence: u64,
    due: Option<Due>,
}

/// All timers of a world.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    cancelled: usize,
    sequence: u64,
}

/// Below this many cancelled timers, sweeping them out costs more than carrying them.
const CANCELLED_KEPT: usize = 1_024;

impl Timers {
    /// Sets a timer. `shuffle` orders timers of the same instant; equal ones keep the order they
    /// were set in.
    pub(crate) fn set(&mut self, at_ns: u64, shuffle: u32, due: Due) -> TimerKey {
        self.sequence += 1;
        let sequence = self.sequence;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[slot] = Slot {
            sequence,
            due: Some(due),
        };
        self.heap.push(Reverse(Entry {
            at_ns,
            shuffle,
            sequence,
            slot,
        }));
        TimerKey { slot, sequence }
    }

    /// Points a timer at another task. Returns the waker that is no longer needed, to be dropped
    /// outside; `Err` if the timer is gone.
    pub(crate) fn rewake(&mut self, key: TimerKey, waker: &Waker) -> Result<Option<Due>, ()> {
        let slot = &mut self.slots[key.slot];
        if slot.sequence != key.sequence {
            return Err(());
        }
        match &slot.due {
            Some(Due::Wake(old)) if old.will_wake(waker) => Ok(None),
            _ => Ok(slot.due.replace(Due::Wake(waker.clone()))),
        }
    }

    /// Cancels a timer, if it has not fired. What it would have done is returned, to be dropped
    /// outside.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<Due> {
        let slot = &mut self.slots[key.slot];
        if slot.sequence != key.sequence {
            return None;
        }
        let due = self.release(key.slot);
        self.cancelled += 1;
        if self.cancelled > CANCELLED_KEPT && self.cancelled > self.heap.len() / 2 {
            self.sweep();
        }
        due
    }

    /// Takes the next timer due at or before `end_ns`, with its time.
    pub(crate) fn pop(&mut self, end_ns: u64) -> Option<(u64, Due)> {
        self.pop_entry(end_ns)
            .map(|(entry, due)| (entry.at_ns, due))
    }

    fn pop_entry(&mut self, end_ns: u64) -> Option<(Entry, Due)> {
        while let Some(Reverse(entry)) = self.heap.peek().copied() {
            if self.slots[entry.slot].sequence != entry.sequence {
                self.heap.pop();
                self.cancelled -= 1;
                continue;
            }
            if entry.at_ns > end_ns {
                return None;
            }
            self.heap.pop();
            let due = self.release(entry.slot);
            return Some((entry, due.expect("a slot in use holds what is due")));
        }
        None
    }

    /// Takes out all timers, to be dropped outside. Their keys stay known as gone.
    pub(crate) fn take_all(&mut self) -> Vec<Due> {
        self.heap.clear();
        self.cancelled = 0;
        let used = (0..self.slots.len()).filter(|slot| self.slots[*slot].sequence > 0);
        let used: Vec<usize> = used.collect();
        used.into_iter()
            .filter_map(|slot| self.release(slot))
            .collect()
    }

    fn release(&mut self, slot: usize) -> Option<Due> {
        self.free.push(slot);
        self.slots[slot].sequence = 0;
        self.slots[slot].due.take()
    }

    fn sweep(&mut self) {
        let slots = &self.slots;
        self.heap
            .retain(|Reverse(entry)| slots[entry.slot].sequence == entry.sequence);
        self.cancelled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wake() -> Due {
        Due::Wake(Waker::noop().clone())
    }

    #[test]
    fn timers_fire_in_order_of_time_then_draw_then_setting() {
        let mut timers = Timers::default();
        let expected = [(1, 0), (2, 1), (2, 2), (2, 2), (9, 0)];
        for (at, shuffle) in [(9, 0), (2, 2), (2, 1), (1, 0), (2, 2)] {
            timers.set(at, shuffle, wake());
        }
        let fired: Vec<_> = std::iter::from_fn(|| timers.pop_entry(100))
            .map(|(entry, _)| (entry.at_ns, entry.shuffle))
            .collect();
        assert_eq!(fired, expected);
    }

    #[test]
    fn a_cancelled_timer_never_fires_and_leaves_nothing_behind() {
        let mut timers = Timers::default();
        let kept = timers.set(5_000, 0, wake());
        for at in 0..20_000 {
            let key = timers.set(10_000 + at, 0, wake());
            assert!(timers.cancel(key).is_some());
            assert!(timers.cancel(key).is_none());
        }
        assert!(timers.heap.len() <= CANCELLED_KEPT + 2);
        assert!(timers.slots.len() <= 2);
        assert!(matches!(timers.pop(u64::MAX), Some((5_000, _))));
        assert!(timers.pop(u64::MAX).is_none());
        assert!(timers.cancel(kept).is_none());
    }

    #[test]
    fn nothing_fires_before_its_time() {
        let mut timers = Timers::default();
        timers.set(10, 0, wake());
        assert!(timers.pop(9).is_none());
        assert!(timers.pop(10).is_some());
    }
}
