//! What people read while it happens: seconds since the beginning, and a sentence.

use std::time::Instant;

use crate::output::Output;

/// A timed account.
#[derive(Debug)]
pub(crate) struct Account {
    begun: Instant,
    output: Output,
}

impl Account {
    /// Begins now.
    pub(crate) fn begin(output: Output) -> Self {
        Self {
            begun: Instant::now(),
            output,
        }
    }

    /// Says what happened just now.
    pub(crate) fn tell(&mut self, what: &str) {
        self.output
            .tell(&format!("[{:>5.1} 秒] {what}", self.seconds()));
    }

    /// Says something that has no time.
    pub(crate) fn say(&mut self, what: &str) {
        self.output.tell(what);
    }

    /// Seconds since the beginning.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}
