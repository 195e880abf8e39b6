//! What every part of a running node shares: who it is, its seams, the groups it hosts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use openraft_rt::{AsyncRuntime, Instant};
use tongban_machine::{Ground, Placement, View, ordered_placement};
use tongban_trust::Registry;
use tongban_types::{CityCode, GroupId, ItemVersion, NodeId, Timestamp};

use crate::entering::Entering;
use crate::ports::{GroupHandle, LocalLog};
use crate::refusals::Refusals;
use crate::replica::Replica;
use crate::seams::{Entropy, Platform, WallClock};
use crate::shown_placements::ShownPlacements;
use crate::signal::Signal;
use crate::template::DocumentTemplate;
use crate::told::Told;

/// How long things take and how often they are done. Every wait of the runtime is here.
#[derive(Clone, Debug)]
pub struct Tempo {
    /// A voter reports its time this often; a tenth of the skew allowed between an act and group
    /// time.
    pub report_every: Duration,
    /// Until group time is known, and while it lags, a voter reports this often.
    pub report_soon: Duration,
    /// An order waits this long for its group before the person is told to try again, and so does a read that
    /// is to show everything acknowledged before it.
    pub order_timeout: Duration,
    /// An answer waits this long for this node's own replica to show what it says, so that the next
    /// question here finds it; a replica that lags further keeps nobody waiting.
    pub shown_timeout: Duration,
    /// An entry waits this long for one leader before another is tried.
    pub propose_timeout: Duration,
    /// First pause before something is tried again; doubled up to `retry_max`, with jitter.
    pub retry_min: Duration,
    /// Longest pause before something is tried again.
    pub retry_max: Duration,
    /// What is owed is looked for at least this often, even if nothing rings.
    pub look_every: Duration,
    /// One delivery of parcels, from sending to its answers.
    pub delivery_timeout: Duration,
    /// A delivery that has no answer after this time is tried another way beside: several times what it
    /// takes on the worst line, and less than a person waits.
    pub another_way_after: Duration,
    /// A voter is waited for this long to sign a batch of parcels.
    pub certify_timeout: Duration,
    /// Applied state is made durable this often, only to shorten the replay after a restart.
    pub flush_every: Duration,
    /// Who handed the lead of a group to its own city and leads it again waits this long before it
    /// does so again; doubled each time up to `hand_over_max`.
    pub hand_over_min: Duration,
    /// The longest such wait.
    pub hand_over_max: Duration,
}

impl Tempo {
    /// The longest a person waits for an answer, beside what this node's disk takes: the group's, and until
    /// this node shows it. Collecting and placing wait for the group once and then hardly at all; what an act
    /// waits for before it is submitted is taken from what it may wait for after.
    pub fn answer_time_max(&self) -> Duration {
        self.order_timeout + self.propose_timeout
    }
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            report_every: Duration::from_secs(3),
            report_soon: Duration::from_millis(300),
            order_timeout: Duration::from_secs(8),
            shown_timeout: Duration::from_millis(500),
            propose_timeout: Duration::from_secs(3),
            retry_min: Duration::from_millis(20),
            retry_max: Duration::from_secs(2),
            look_every: Duration::from_secs(1),
            delivery_timeout: Duration::from_secs(6),
            another_way_after: Duration::from_millis(1_500),
            certify_timeout: Duration::from_secs(2),
            flush_every: Duration::from_secs(5),
            hand_over_min: Duration::from_secs(10),
            hand_over_max: Duration::from_mins(10),
        }
    }
}

/// What a node is told when it starts.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Which node it is.
    pub me: NodeId,
    /// The registry file it starts from: proposed to groups that have none or an older one.
    pub registry_file: Vec<u8>,
    /// The same, parsed and verified.
    pub registry: Arc<Registry>,
    /// Those before it that this node was given, by version: for groups that missed them.
    pub older_registries: BTreeMap<u64, Vec<u8>>,
    /// Items the city puts into its catalogue, with the documents their grants produce.
    pub items: Vec<tongban_types::ItemTerms>,
    /// The documents that grants produce, by item.
    pub templates: BTreeMap<ItemVersion, DocumentTemplate>,
    /// The working-day calendar the city puts into its log.
    pub calendar: tongban_types::Calendar,
    /// How long things take.
    pub tempo: Tempo,
    /// Whether forms are sealed.
    pub forms: Forms,
}

/// What becomes of a form before it enters a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forms {
    /// Sealed under the key of its case.
    #[default]
    Sealed,
    /// Left in the clear, to measure what sealing costs. A node so started serves nobody: whoever
    /// starts it sees to it that it can have no partner on another machine.
    ClearForMeasurement,
}

/// A group this node keeps a replica of.
pub struct Hosted<P: Platform> {
    /// Its Raft side.
    pub group: GroupHandle,
    /// Its state.
    pub replica: Arc<Replica<P>>,
}

impl<P: Platform> std::fmt::Debug for Hosted<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosted")
            .field("replica", &self.replica)
            .finish_non_exhaustive()
    }
}

/// Tells the group a Raft request is for, in the encoding of `consensus`.
pub type RouteRaft = fn(&[u8]) -> Option<GroupId>;

/// Shared by all parts of a running node.
pub(crate) struct Core<P: Platform> {
    pub(crate) me: NodeId,
    pub(crate) settings: NodeSettings,
    pub(crate) clock: Arc<P::Clock>,
    pub(crate) entropy: Arc<P::Entropy>,
    pub(crate) transport: Arc<P::Transport>,
    pub(crate) signer: Arc<P::Signer>,
    pub(crate) local: Arc<dyn LocalLog>,
    /// The groups this node keeps a replica of now: an order may add one, and take one away.
    pub(crate) hosted: RwLock<BTreeMap<GroupId, Arc<Hosted<P>>>>,
    /// Where they stood by their own logs when those were last read.
    pub(crate) shown_placements: ShownPlacements,
    /// Rings when this node was told of an order of placement.
    pub(crate) placed: Signal<P::Runtime>,
    /// Held by whoever writes down what was told of placements.
    pub(crate) told_gate: <P::Runtime as AsyncRuntime>::Mutex<()>,
    pub(crate) route_raft: RouteRaft,
    pub(crate) refusals: Refusals,
    /// Parcels this node appended as a leader and whose end it does not know.
    pub(crate) entering: Mutex<Entering<<P::Runtime as AsyncRuntime>::Instant>>,
    /// Deliveries of other nodes handed on.
    pub(crate) relayed: AtomicU64,
    pub(crate) stopping: AtomicBool,
    /// It is taken out of service for maintenance.
    pub(crate) draining: AtomicBool,
    /// A write of the node's own records failed.
    pub(crate) failed: AtomicBool,
    /// Why the node cannot go on, where its log does not say it.
    pub(crate) failure: OnceLock<String>,
    /// Rings when it is set.
    pub(crate) failing: Signal<P::Runtime>,
}

impl<P: Platform> Core<P> {
    pub(crate) fn city(&self) -> CityCode {
        self.me.city()
    }

    pub(crate) fn tempo(&self) -> &Tempo {
        &self.settings.tempo
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The groups this node hosts; none while it is starting.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (GroupId, Arc<Hosted<P>>)> + use<P> {
        let hosted = self.hosted.read().unwrap_or_else(PoisonError::into_inner);
        hosted.clone().into_iter()
    }

    pub(crate) fn group(&self, id: GroupId) -> Option<Arc<Hosted<P>>> {
        let hosted = self.hosted.read().unwrap_or_else(PoisonError::into_inner);
        hosted.get(&id).cloned()
    }

    /// Takes a group up, or puts it away.
    pub(crate) fn set_hosted(&self, id: GroupId, group: Option<Hosted<P>>) {
        let mut hosted = self.hosted.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = group {
            hosted.insert(id, Arc::new(group));
        } else {
            self.shown_placements.forget(id);
            hosted.remove(&id);
        }
    }

    /// The group of this node's own city.
    pub(crate) fn own(&self) -> Option<Arc<Hosted<P>>> {
        self.group(GroupId(self.city()))
    }

    /// The newest registry any hosted group's log shows, or the one the node started from.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        let in_logs = self
            .groups()
            .filter_map(|(_, hosted)| hosted.replica.registry());
        in_logs
            .chain(std::iter::once(self.settings.registry.clone()))
            .max_by_key(|registry| registry.version())
            .expect("the node's own registry is in the chain")
    }

    /// Where a group's replicas stand: by its own log where it is hosted, whatever others were told of
    /// it, else by the newest order a hosted group was told of. Before any order, where it began.
    pub(crate) fn placement(&self, group: GroupId) -> Placement {
        let own = self.group(group);
        let own = own.map(|hosted| self.placement_by_own_log(group, &hosted));
        let told = self.groups().filter_map(|(_, hosted)| {
            let read = hosted.replica.read(|view| ordered_placement(view, group));
            read.ok().flatten()
        });
        counted_by(own, told).unwrap_or_else(|| Placement {
            version: 0,
            voters: self.registry().voters(group).to_vec(),
            learners: Vec::new(),
        })
    }

    /// Where a hosted group stands by the newest order in its own log; `None` before any.
    pub(crate) fn placement_by_own_log(
        &self,
        group: GroupId,
        hosted: &Hosted<P>,
    ) -> Option<Placement> {
        let read = hosted.replica.read(|view| ordered_placement(view, group));
        self.shown_placements.with(group, read)
    }

    /// Where a group may be found: the voters some log here names, and behind them those of an order
    /// that this node was told of. Such an order may never have entered its group's log, so nothing is
    /// counted by it, and it takes nobody's place.
    pub(crate) fn voters_to_ask(&self, group: GroupId) -> Vec<NodeId> {
        let mut voters = self.placement(group).voters;
        let told = Told::read(&*self.local, group).map(|told| told.placement.voters);
        for voter in told.unwrap_or_default() {
            if !voters.contains(&voter) {
                voters.push(voter);
            }
        }
        voters
    }

    /// Counters of a group.
    pub(crate) fn ground(&self, group: GroupId) -> Option<Ground> {
        self.group(group)?
            .replica
            .read(tongban_machine::ground)
            .ok()
    }

    /// Returns once this node's own replica shows something, or after a bounded time; whether it does.
    pub(crate) async fn until_here(
        &self,
        patience: Duration,
        is_here: impl Fn(&dyn View) -> bool,
    ) -> bool {
        let Some(own) = self.own() else {
            return false;
        };
        let until = Until::<P::Runtime>::after(patience);
        let mut applied = own.replica.changed().listen();
        loop {
            applied.mark();
            if own.replica.read(&is_here).unwrap_or(false) {
                return true;
            }
            let Some(left) = until.left() else {
                return false;
            };
            applied.heard(left.min(self.tempo().look_every)).await;
        }
    }

    /// When the answer is due for which somebody has waited so long already.
    pub(crate) fn answer_due(&self, waited: Duration) -> Until<P::Runtime> {
        Until::after(self.tempo().answer_time_max().saturating_sub(waited))
    }

    /// A pause before try number `attempt`, with full jitter so that many do not come at once.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        let tempo = self.tempo();
        let ceiling = tempo
            .retry_min
            .saturating_mul(1 << attempt.min(16))
            .min(tempo.retry_max);
        let share = self.entropy.next_u64() % 1_000;
        tempo.retry_min + ceiling.mul_f64(f64::from(u32::try_from(share).unwrap_or(0)) / 1_000.0)
    }
}

/// Of what a group's own log says, if it is hosted, and what other logs were told of it, what its voters
/// are counted by. An order that others were told and its own log refused moved nobody, so a hosting
/// node must not count by it: it would report no time and certify nothing with its group.
#[expect(
    clippy::option_option,
    reason = "a group that is hosted and stands where it began is none that is not hosted"
)]
fn counted_by(
    own: Option<Option<Placement>>,
    told: impl Iterator<Item = Placement>,
) -> Option<Placement> {
    own.unwrap_or_else(|| told.max_by_key(|placement| placement.version))
}

/// This moment on the runtime's own clock.
pub(crate) fn instant<R: AsyncRuntime>() -> R::Instant {
    R::Instant::now()
}

/// A deadline on the runtime's own clock.
pub(crate) struct Until<R: AsyncRuntime>(R::Instant);

impl<R: AsyncRuntime> Until<R> {
    pub(crate) fn after(time: Duration) -> Self {
        Self(R::Instant::now() + time)
    }

    /// What is left; `None` once it is over.
    pub(crate) fn left(&self) -> Option<Duration> {
        let now = R::Instant::now();
        (now < self.0).then(|| self.0 - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: u64) -> Placement {
        Placement {
            version,
            ..Placement::default()
        }
    }

    #[expect(clippy::option_option, reason = "as what it tests")]
    fn counted(own: Option<Option<u64>>, told: &[u64]) -> Option<u64> {
        let told = told.iter().copied().map(version);
        counted_by(own.map(|own| own.map(version)), told).map(|placement| placement.version)
    }

    #[test]
    fn a_hosted_group_is_counted_by_its_own_log_whatever_others_were_told() {
        assert_eq!(counted(Some(Some(1)), &[1, 5]), Some(1));
        assert_eq!(counted(Some(None), &[5]), None, "it stands where it began");
    }

    #[test]
    fn a_group_kept_elsewhere_is_counted_by_the_newest_order_told() {
        assert_eq!(counted(None, &[1, 5, 3]), Some(5));
        assert_eq!(counted(None, &[]), None);
    }
}
