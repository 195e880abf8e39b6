//! Trying again what came to nothing, each time after a longer rest.

use std::time::Duration;

use openraft_rt::AsyncRuntime;

use crate::core::Until;

/// How often something was tried in vain, and until when it is not tried again.
pub(crate) struct Rests<R: AsyncRuntime> {
    count: u32,
    rest: Option<Until<R>>,
}

impl<R: AsyncRuntime> Rests<R> {
    pub(crate) fn none() -> Self {
        Self {
            count: 0,
            rest: None,
        }
    }

    pub(crate) fn may_try(&self) -> bool {
        self.rest.as_ref().is_none_or(|rest| rest.left().is_none())
    }

    /// The first rest is `min`; each is twice the one before, up to `max`.
    pub(crate) fn tried(&mut self, min: Duration, max: Duration) {
        let rest = min.saturating_mul(1 << self.count.min(16));
        self.rest = Some(Until::after(rest.min(max)));
        self.count += 1;
    }
}
