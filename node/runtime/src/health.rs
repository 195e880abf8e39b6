//! Whether a node can go on: its log, its store, its groups and the tasks it cannot do without. What
//! fails here fails for good; a supervisor starts the node again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use openraft_rt::AsyncRuntime;
use tongban_types::{Code, GroupId};

use crate::core::{Core, Hosted};
use crate::seams::Platform;

/// Says so when the task it goes with panics; not when the task ends, or is dropped with its runtime.
struct Watched<F: Fn()>(F);

impl<F: Fn()> Drop for Watched<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}

impl<P: Platform> Core<P> {
    /// Runs a task beside the others; the node has failed if it panics.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        task: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let core = self.clone();
        drop(P::Runtime::spawn(async move {
            let _watched = Watched(|| core.fail(format!("the task {task} panicked")));
            work.await;
        }));
    }

    /// Runs a task the node cannot do without: it has failed too if the task ends before the node is
    /// told to stop.
    pub(crate) fn keep(
        self: &Arc<Self>,
        task: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let core = self.clone();
        self.spawn(task, async move {
            work.await;
            if !core.is_stopping() {
                core.fail(format!("the task {task} ended"));
            }
        });
    }

    /// Takes note of a failure the node does not recover from; the first one is what is told.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(node = %self.me, code = %Code::NODE_FAILED, reason, "the node has failed");
        let _told_before = self.failure.set(reason);
        self.failing.ring();
    }

    /// Why the node cannot go on, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        if let Some(failed) = self.local.failed() {
            return Some(failed.to_string());
        }
        if let Some(reason) = self.failure.get() {
            return Some(reason.clone());
        }
        let failed = self.failed.load(Ordering::Acquire);
        failed.then(|| "the node's own records cannot be written".to_owned())
    }

    /// Returns once the node cannot go on, with why.
    pub(crate) async fn until_failed(&self) -> String {
        let mut failing = self.failing.listen();
        loop {
            failing.mark();
            if let Some(reason) = self.failure() {
                return reason;
            }
            // The log has no bell, and whoever writes to it next is told; looking costs nothing.
            failing.heard(self.tempo().look_every).await;
        }
    }

    /// Watches a group until it ends. One that stopped because replicas differ stays stopped across
    /// every restart: the node goes on without it and says so. Anything else a restart may cure.
    pub(crate) async fn watch_group(self: Arc<Self>, group: GroupId) {
        let Some(hosted) = self.group(group) else {
            return;
        };
        let reason = hosted.group.stopped().await;
        let is_ours = |now: Arc<Hosted<P>>| Arc::ptr_eq(&now, &hosted);
        // Left by order, and stopped for it.
        if self.is_stopping() || !self.group(group).is_some_and(is_ours) {
            return;
        }
        tracing::error!(
            %group,
            node = %self.me,
            code = %Code::GROUP_STOPPED,
            reason,
            "the group has stopped on this node"
        );
        if !hosted.replica.has_diverged() {
            self.fail(format!("group {group} has stopped: {reason}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicBool;

    use futures_util::FutureExt as _;

    use super::*;

    /// Whether a task that does this work is said to have panicked.
    fn is_told(work: impl Future<Output = ()>) -> bool {
        let told = AtomicBool::new(false);
        let task = async {
            let _watched = Watched(|| told.store(true, Ordering::SeqCst));
            work.await;
        };
        // As a runtime does: polled under a guard, and dropped whatever came of it.
        let _panicked = catch_unwind(AssertUnwindSafe(|| task.now_or_never()));
        told.load(Ordering::SeqCst)
    }

    #[test]
    fn a_task_that_panics_is_told_and_one_that_ends_or_is_dropped_is_not() {
        assert!(is_told(async { panic!("on purpose") }));
        assert!(!is_told(async {}));
        assert!(!is_told(std::future::pending()));
    }
}
