//! Carrying an order of placement out: one step an entry, each made from the members as they are, so
//! that whoever leads next goes on wherever it was left.

use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::{Mutex as _, Oneshot as _, OneshotSender as _, watch::WatchReceiver};
use openraft::raft::Precondition;
use openraft::{AsyncRuntime, RaftMetrics};
use tongban_runtime::ports::{Arranged, NextStep, Placement, ProposeError, ReplicatedState};
use tongban_types::NodeId;

use crate::members::{members_of, membership_of};
use crate::raft_types::{LogId, Payload, Types, term_of};
use crate::refusal;
use crate::service::Core;
use crate::status::{may_lead, may_vote};

/// Makes steps on one replica, one at a time and none beside an order on its way into the log.
pub(crate) struct Arranger<R: AsyncRuntime> {
    me: NodeId,
    in_touch: Duration,
    core: Core<R>,
    state: Arc<dyn ReplicatedState>,
    /// Held by whoever changes the members or proposes an order.
    gate: R::Mutex<LastOrder>,
}

/// What became of the last order that was proposed here.
enum LastOrder {
    /// It is applied, or was not appended, or stands in the log no later than here.
    UpTo(u64),
    /// It may be in the log, or still on its way into it.
    Unknown,
}

impl<R: AsyncRuntime + Send + Sync> Arranger<R> {
    pub(crate) fn new(
        me: NodeId,
        in_touch: Duration,
        core: Core<R>,
        state: Arc<dyn ReplicatedState>,
    ) -> Self {
        Self {
            me,
            in_touch,
            core,
            state,
            gate: R::Mutex::new(LastOrder::UpTo(0)),
        }
    }

    /// Runs what proposes an order while no step is made.
    pub(crate) async fn with_order<T>(
        &self,
        proposing: impl Future<Output = Result<T, ProposeError>> + Send,
        timeout: Duration,
    ) -> Result<T, ProposeError> {
        let Ok(mut last_order) = R::timeout(timeout, self.gate.lock()).await else {
            return Err(ProposeError::TimedOut);
        };
        // Before, so that it is so also for one who stops waiting.
        let before = std::mem::replace(&mut *last_order, LastOrder::Unknown);
        let proposed = proposing.await;
        let was_dropped = matches!(
            proposed,
            Err(ProposeError::NotLeader { .. } | ProposeError::TooLarge { .. })
        );
        if proposed.is_ok() || was_dropped {
            *last_order = before;
        }
        proposed
    }

    /// Makes the next step, if this replica leads and knows of every order in its log.
    pub(crate) async fn step(&self, timeout: Duration) -> Result<Arranged, ProposeError> {
        let Ok(mut last_order) = R::timeout(timeout, self.gate.lock()).await else {
            return Ok(Arranged::Waits);
        };
        let LastOrder::UpTo(settled) = self.settle(&mut last_order, timeout).await else {
            return Ok(Arranged::Waits);
        };
        let metrics = self.core.metrics().borrow_watched().clone();
        if metrics.current_leader != Some(metrics.id) {
            let leader = metrics.current_leader.and_then(crate::status::node);
            return Err(ProposeError::NotLeader { leader });
        }
        // What an earlier leader left in the log is applied with the first entry of one's own term.
        let applied = metrics.last_applied;
        let is_settled =
            applied.is_some_and(|id| term_of(&id) == metrics.current_term && id.index() >= settled);
        if !is_settled {
            return Ok(Arranged::Waits);
        }
        let placement = self.state.placement_behind(&[]);
        let placement = placement.map_err(|error| {
            tracing::error!(%error, "the placement cannot be read");
            ProposeError::Stopped
        })?;
        match placement {
            Some(placement) => self.toward(&placement, &metrics, timeout).await,
            None => Ok(Arranged::Stands),
        }
    }

    /// Finds out how far the log must be applied for the last order to be known. The core answers in the
    /// order it was asked, so what was on its way before is in the log by then.
    async fn settle(&self, last_order: &mut LastOrder, timeout: Duration) -> LastOrder {
        if matches!(last_order, LastOrder::Unknown) {
            let (sender, last) = R::Oneshot::channel();
            let asked = self.core.external_request(move |state| {
                // Whoever asked may have stopped waiting.
                let _gone = sender.send(state.log_ids.last().map_or(0, LogId::index));
            });
            if asked.await.is_ok()
                && let Ok(Ok(last)) = R::timeout(timeout, last).await
            {
                *last_order = LastOrder::UpTo(last);
            }
        }
        match last_order {
            LastOrder::UpTo(index) => LastOrder::UpTo(*index),
            LastOrder::Unknown => LastOrder::Unknown,
        }
    }

    async fn toward(
        &self,
        placement: &Placement,
        metrics: &RaftMetrics<Types<R>>,
        timeout: Duration,
    ) -> Result<Arranged, ProposeError> {
        let members = members_of(metrics.membership_config.membership());
        let is_ready = |node: NodeId| may_vote(metrics, node, self.in_touch);
        let next = match placement.next_step(&members, is_ready) {
            NextStep::Nothing => {
                let is_committed = metrics.last_applied >= *metrics.membership_config.log_id();
                let stands = [Arranged::Waits, Arranged::Stands];
                return Ok(stands[usize::from(is_committed)].clone());
            }
            NextStep::WaitFor(node) => {
                tracing::debug!(%node, "has not caught up");
                return Ok(Arranged::Waits);
            }
            NextStep::To(next) => next,
        };
        let stays = |node: NodeId| next.voter_sets.iter().any(|set| set.contains(&node));
        if !stays(self.me) {
            // Another leads from here on; if nobody can, openraft steps down once this is committed.
            let successor = placement
                .voters
                .iter()
                .find(|voter| may_lead(metrics, **voter, self.in_touch).is_ok());
            if let Some(to) = successor {
                tracing::info!(%to, "handing the lead over before leaving the group");
                let triggered = self.core.trigger().transfer_leader(to.as_u64()).await;
                return match triggered {
                    Ok(()) => Ok(Arranged::Stepped),
                    Err(_fatal) => Err(ProposeError::Stopped),
                };
            }
        }
        let membership = membership_of(&next).map_err(|error| {
            tracing::error!(%error, "a placement that is no group was recorded");
            ProposeError::Stopped
        })?;
        tracing::info!(version = placement.version, ?next, "the members change");
        let last_membership_log_id = *metrics.membership_config.log_id();
        let unchanged = Precondition::LastMembershipLogId {
            last_membership_log_id,
        };
        let appended = self
            .core
            .append_membership(membership, Payload::Blank, [unchanged]);
        match R::timeout(timeout, Box::pin(appended)).await {
            Ok(Ok(_written)) => Ok(Arranged::Stepped),
            Ok(Err(error)) => refusal::of_change(error),
            Err(_late) => Err(ProposeError::TimedOut),
        }
    }
}
