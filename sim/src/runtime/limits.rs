//! How a run is scheduled, and how much it may do before it is called stuck.

/// What the seed may reorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduling {
    /// Tasks that are ready together run, and timers of one instant fire, in drawn order instead
    /// of the order they became so.
    pub shuffle_tasks: bool,
    /// The branches of a select are polled in drawn order. The runtime's contract promises the
    /// order of the arguments, so this is harsher than any real runtime.
    pub shuffle_selects: bool,
}

impl Scheduling {
    /// First ready, first run; selects in the order of their arguments.
    pub const IN_ORDER: Self = Self {
        shuffle_tasks: false,
        shuffle_selects: false,
    };
}

impl Default for Scheduling {
    fn default() -> Self {
        Self {
            shuffle_tasks: true,
            shuffle_selects: false,
        }
    }
}

/// Bounds of a run. Reaching one is a panic that names the busiest node, since a run that spins
/// would otherwise never end and say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Polls and timers while virtual time stands still. A healthy world of hundreds of nodes needs a few
    /// thousand; a task that wakes itself for ever reaches any number.
    pub steps_per_instant_max: u64,
    /// Polls and timers of the whole run: hours of work for one core, more than any seed needs.
    pub events_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps_per_instant_max: 1_000_000,
            events_max: 20_000_000_000,
        }
    }
}
