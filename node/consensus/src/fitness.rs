//! Whether this node is fit to lead. A leader that is heard and does not hear, or whose disk takes
//! nothing in and reports no error, would be followed for ever and answer nobody. openraft keeps
//! back the heartbeats of the first; here the entries it sends again and again are kept back too,
//! and both of the second, so that another is elected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::{AsyncRuntime, Instant as _, RaftMetrics};
use tongban_types::Code;

use crate::config::GroupConfig;
use crate::raft_types::Types;
use crate::service::Core;
use crate::storage::DurableLog;

/// An append under way for this many of the longest elections is one a disk does not finish. Disks
/// that are only slow finish a sync in less than one.
const HANGING_ELECTIONS: u32 = 3;

/// Set while this node sends no appends and takes no proposals; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Muted(Arc<AtomicBool>);

impl Muted {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, muted: bool) {
        self.0.store(muted, Ordering::Release);
    }
}

/// Watches one group.
pub(crate) struct Fitness<R: AsyncRuntime> {
    config: GroupConfig,
    core: Core<R>,
    durable: DurableLog<R>,
    muted: Muted,
    hangs: bool,
    /// Since when this node has led without any answer of a majority.
    unanswered: Option<R::Instant>,
}

impl<R: AsyncRuntime> Fitness<R> {
    pub(crate) fn new(
        config: GroupConfig,
        core: Core<R>,
        durable: DurableLog<R>,
        muted: Muted,
    ) -> Self {
        Self {
            config,
            core,
            durable,
            muted,
            hangs: false,
            unanswered: None,
        }
    }

    /// Looks until the group stops.
    pub(crate) async fn watch(mut self) {
        loop {
            R::sleep(Duration::from_millis(self.config.election_ms_min / 2)).await;
            let metrics = self.core.metrics().borrow_watched().clone();
            if metrics.running_state.is_err() {
                return;
            }
            self.look_at_the_disk();
            let in_vain = self.leads_in_vain(&metrics);
            self.muted.set(self.hangs || in_vain);
        }
    }

    fn look_at_the_disk(&mut self) {
        let patience = self.election().saturating_mul(HANGING_ELECTIONS);
        let hangs = self.durable.oldest().is_some_and(|age| age > patience);
        if hangs == self.hangs {
            return;
        }
        self.hangs = hangs;
        self.core.runtime_config().elect(!hangs);
        let (group, node) = (self.config.group, self.config.me);
        if hangs {
            tracing::warn!(
                %group,
                %node,
                code = %Code::LOG_HANGS,
                "the disk does not finish writing the log: this node leads no more"
            );
        } else {
            tracing::info!(%group, %node, "the disk finishes writing the log again");
        }
    }

    /// Whether it is this leader's turn to be silent: after a lease without answers of a majority, in
    /// the same turns in which openraft keeps its heartbeats back.
    fn leads_in_vain(&mut self, metrics: &RaftMetrics<Types<R>>) -> bool {
        let leads = metrics.current_leader == Some(metrics.id);
        let is_alone = metrics.membership_config.membership().voter_ids().count() < 2;
        if !leads || is_alone {
            self.unanswered = None;
            return false;
        }
        let age = match metrics.last_quorum_acked {
            Some(answered) => answered.elapsed(),
            None => self
                .unanswered
                .get_or_insert_with(R::Instant::now)
                .elapsed(),
        };
        let Some(over) = age.checked_sub(self.election()) else {
            return false;
        };
        let turn = Duration::from_millis(self.config.silence_ms());
        let turns_over = over.as_millis() / turn.as_millis().max(1);
        turns_over.is_multiple_of(2)
    }

    fn election(&self) -> Duration {
        Duration::from_millis(self.config.election_ms_max)
    }
}
