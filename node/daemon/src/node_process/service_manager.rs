//! Word to the service manager (systemd `Type=notify`, `sd_notify(3)`): ready, reloading, stopping, and
//! alive. Where nobody listens, nothing is said.

use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tongban_runtime::NodeHandle;

/// The node answers.
pub(crate) fn say_ready() {
    say(&[NotifyState::Ready]);
}

/// The configuration is being read again; `say_ready` ends it.
pub(super) fn say_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(_) => say(&[NotifyState::Reloading]),
    }
}

/// The node ends.
pub(super) fn say_stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "the service manager does not hear");
    }
}

/// Says that the node is alive, twice in the time after which it is taken for dead, as long as it has
/// not failed. Ends at once where nobody asks.
pub(crate) async fn stay_alive(node: Arc<dyn NodeHandle>) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut beat = interval(patience / 2);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if node.health().failed {
            return;
        }
        say(&[NotifyState::Watchdog]);
    }
}
