//! One readable line for each thing that happens in a world, and how often each kind did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::output;
use crate::runtime::{World, lock};

/// The events of a run. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Events {
    are_shown: bool,
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Events {
    /// Events that are printed, or only counted.
    pub fn new(are_shown: bool) -> Self {
        Self {
            are_shown,
            ..Self::default()
        }
    }

    /// Shows a line.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if self.are_shown {
            let now = World::now();
            output::line(&format!("{:>10.6} {}", now.as_secs_f64(), line()));
        }
    }

    /// Counts a kind and shows a line.
    pub fn count(&self, kind: &'static str, line: impl FnOnce() -> String) {
        self.add(kind, 1);
        self.say(|| format!("{kind}: {}", line()));
    }

    /// Counts a kind so many times more.
    pub fn add(&self, kind: &'static str, times: u64) {
        *lock(&self.counts).entry(kind).or_default() += times;
    }

    /// How often each kind happened.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counts).clone()
    }
}
