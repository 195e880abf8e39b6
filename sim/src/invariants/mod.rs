//! What must hold whatever goes wrong, one invariant a file. Each is fed what it judges and knows
//! nothing of how the world made it, so that a broken world can be put before it.

pub mod clean_logs;
pub mod desks_empty;
pub mod documents;
pub mod group_time;
pub mod log_hashes;
pub mod no_early_deadline;
pub mod nothing_lost;
pub mod once_only;
pub mod one_owner;
pub mod reads;
pub mod replicas_equal;
pub mod served;
pub mod standing;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{invariant}: {what}")]
pub struct Violation {
    /// Which.
    pub invariant: &'static str,
    /// How it is broken.
    pub what: String,
}

impl Violation {
    /// A violation of an invariant.
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}
