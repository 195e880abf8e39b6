//! The replicas of one group in one process, over doubles of network, disk and state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use openraft_rt_tokio::TokioRuntime;
use tongban_consensus::{GroupConfig, RaftGroup, StartError};
use tongban_runtime::ports::{Arranged, Group, GroupStatus, HandOverError, ProposeError};
use tongban_runtime::seams::{Lane, Service, Transport};
use tongban_types::{CityCode, Code, GroupId, NodeId};
use tongban_wal::{Wal, WalConfig};

use crate::network::Network;
use crate::support::disk::MemoryDisk;
use crate::support::state::{MemoryState, write_order};

/// Longer than any of this takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) type Replica = Arc<RaftGroup<TokioRuntime>>;

/// One group and the nodes it is placed on.
pub(crate) struct Cluster {
    pub(crate) network: Network,
    pub(crate) voters: Vec<NodeId>,
    pub(crate) learners: Vec<NodeId>,
    pub(crate) running: BTreeMap<NodeId, Replica>,
    pub(crate) states: BTreeMap<NodeId, MemoryState>,
    pub(crate) disks: BTreeMap<NodeId, MemoryDisk>,
    pub(crate) adjust: fn(&mut GroupConfig),
}

struct Front(Replica);

#[async_trait]
impl Service for Front {
    async fn call(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
        self.0.handle(peer, lane, body).await
    }
}

pub(crate) fn group() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

/// An order as the state's double reads it.
pub(crate) fn order(version: u8, voters: &[u8], learners: &[u8]) -> Bytes {
    let numbers =
        |nodes: &[u8]| -> Vec<u64> { nodes.iter().map(|number| node(*number).as_u64()).collect() };
    write_order(version, &numbers(voters), &numbers(learners))
}

pub(crate) fn node(number: u8) -> NodeId {
    NodeId::new(group().city(), number).unwrap()
}

impl Cluster {
    /// A group of voters 1 to `voters` and further learners, none of them running.
    pub(crate) fn new(voters: u8, learners: u8) -> Self {
        Self {
            network: Network::default(),
            voters: (1..=voters).map(node).collect(),
            learners: (voters + 1..=voters + learners).map(node).collect(),
            running: BTreeMap::new(),
            states: BTreeMap::new(),
            disks: BTreeMap::new(),
            adjust: |_| {},
        }
    }

    /// A group of three voters, all running, with a leader they all know.
    pub(crate) async fn of_three() -> Self {
        let mut cluster = Self::new(3, 0);
        cluster.start_all().await;
        let known = |node: &NodeId| {
            let status = cluster.status(*node);
            Some((status.term, status.leader?))
        };
        let agreed = || {
            let first = known(&cluster.voters[0])?;
            // All three began by standing for election: a later term may still be under way.
            let all = cluster.voters.iter().all(|node| known(node) == Some(first));
            all.then_some(())
        };
        cluster.eventually("a leader all know", agreed).await;
        cluster
    }

    pub(crate) fn config(&self, me: NodeId) -> GroupConfig {
        let mut config = GroupConfig::new(group(), me, self.voters.clone(), self.learners.clone());
        config.joins = !self.all().contains(&me);
        config.heartbeat_ms = 100;
        config.election_ms_min = 600;
        config.election_ms_max = 1_200;
        (self.adjust)(&mut config);
        config
    }

    pub(crate) fn all(&self) -> Vec<NodeId> {
        self.voters.iter().chain(&self.learners).copied().collect()
    }

    pub(crate) async fn start_all(&mut self) {
        for node in self.all() {
            self.start(node).await;
        }
    }

    pub(crate) async fn start(&mut self, node: NodeId) {
        self.try_start(node).await.unwrap();
    }

    pub(crate) async fn try_start(&mut self, node: NodeId) -> Result<(), StartError> {
        let disk = self.disks.entry(node).or_default().clone();
        let state = self.states.entry(node).or_default().clone();
        let settings = WalConfig {
            segment_bytes: 4 << 20,
            ..WalConfig::default()
        };
        let wal = Wal::open(disk, settings).await.unwrap();
        let link = self.network.of(node);
        let started = RaftGroup::start(self.config(node), link.clone(), wal, Arc::new(state));
        let replica = started.await?;
        link.serve(Arc::new(Front(replica.clone())));
        self.running.insert(node, replica);
        Ok(())
    }

    /// Starts a node the group did not begin with, as one that was told of these replicas.
    pub(crate) async fn join(&mut self, node: NodeId, replicas: &[u8]) {
        self.start(node).await;
        let replicas = replicas.iter().map(|number| self::node(*number));
        self.running[&node].admit(replicas.collect());
    }

    /// Enters an order and has it carried out by whoever leads.
    pub(crate) async fn place(&self, version: u8, voters: &[u8], learners: &[u8]) {
        self.enter_order(&order(version, voters, learners)).await;
        let placing = async {
            while self.arrange().await != Some(Ok(Arranged::Stands)) {
                self.pause().await;
            }
        };
        let placed = tokio::time::timeout(PATIENCE, placing).await;
        placed.unwrap_or_else(|_late| panic!("order {version} was never carried out"));
    }

    /// Enters an order at whoever leads.
    pub(crate) async fn enter_order(&self, entry: &Bytes) {
        let entering = async {
            loop {
                if let Some(leads) = self.any_leader() {
                    let proposing = self.replica(leads).propose_order(entry.clone(), PATIENCE);
                    if proposing.await.is_ok() {
                        return;
                    }
                }
                self.pause().await;
            }
        };
        let entered = tokio::time::timeout(PATIENCE, entering).await;
        entered.unwrap_or_else(|_late| panic!("an order was never entered"));
    }

    /// Has whoever leads, if anybody does, make a step; a busy machine may depose it meanwhile.
    pub(crate) async fn arrange(&self) -> Option<Result<Arranged, ProposeError>> {
        let leads = self.replica(self.any_leader()?);
        Some(leads.arrange(Duration::from_secs(5)).await)
    }

    /// Whoever believes to lead in the highest term.
    pub(crate) fn any_leader(&self) -> Option<NodeId> {
        let leads = |node: &&NodeId| self.status(**node).leader == Some(**node);
        let leaders = self.running.keys().filter(leads);
        leaders.copied().max_by_key(|node| self.status(*node).term)
    }

    /// Until something changes, or for a moment.
    pub(crate) async fn pause(&self) {
        let changes = self.running.values();
        let changes = changes.map(|replica| replica.changed(Duration::from_millis(20)));
        futures_util::future::select_all(changes).await;
    }

    /// Stops a node; what it did not sync is lost.
    pub(crate) async fn stop(&mut self, node: NodeId) {
        self.network.remove(node);
        let replica = self.running.remove(&node).unwrap();
        replica.shut_down().await;
        let left = self.disks[&node].after_power_cut();
        self.disks.insert(node, left);
    }

    pub(crate) fn replica(&self, node: NodeId) -> &Replica {
        &self.running[&node]
    }

    pub(crate) fn status(&self, node: NodeId) -> GroupStatus {
        self.running[&node].status()
    }

    /// The one that leads, by its own word and that of a majority of the voters.
    pub(crate) async fn leader(&self) -> NodeId {
        let leads = |node: &NodeId| {
            let term = self.status(*node).term;
            let agrees = |voter: &&NodeId| {
                let known = self.running.get(voter).map(|replica| replica.status());
                known.is_some_and(|known| known.leader == Some(*node) && known.term == term)
            };
            self.status(*node).leader == Some(*node)
                && self.voters.iter().filter(agrees).count() > self.voters.len() / 2
        };
        self.eventually("a leader", || self.running.keys().copied().find(leads))
            .await
    }

    /// The one that leads in the place of `former`.
    pub(crate) async fn leader_but(&self, former: NodeId) -> NodeId {
        self.eventually("another leader", || {
            let others = self.running.keys().filter(|node| **node != former);
            let mut leaders = others.filter_map(|node| self.status(*node).leader);
            leaders.find(|leader| *leader != former)
        })
        .await
    }

    /// Proposes at whoever leads until it is acknowledged.
    pub(crate) async fn propose(&self, entry: impl Into<Bytes>) -> u64 {
        let entry = entry.into();
        let tries = async {
            loop {
                let leader = self.leader().await;
                match self.replica(leader).propose(entry.clone(), PATIENCE).await {
                    Ok(reply) => return std::str::from_utf8(&reply).unwrap().parse().unwrap(),
                    Err(ProposeError::NotLeader { .. }) => {}
                    Err(error) => panic!("a proposal that is not known to fail: {error}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, tries).await.unwrap()
    }

    /// Hands the lead over as soon as the leader agrees to it.
    pub(crate) async fn hand_over(&self, leader: NodeId, to: NodeId) {
        let replica = self.replica(leader);
        let asking = async {
            while let Err(refused) = replica.transfer_leader(to).await {
                let later = matches!(
                    refused,
                    HandOverError::Silent { .. } | HandOverError::Behind { .. }
                );
                assert!(later, "{refused}");
                replica.changed(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap();
        let leads = || (self.status(to).leader == Some(to)).then_some(());
        self.eventually("the successor leads", leads).await;
    }

    /// Waits until a running replica applied all that another did.
    pub(crate) async fn until_equal(&self, node: NodeId, to: NodeId) {
        let what = format!("{node} holds what {to} holds");
        self.eventually(&what, || {
            (self.states[&node].proposals() == self.states[&to].proposals()).then_some(())
        })
        .await;
    }

    /// Waits until `find` finds something, looking again at every change of any replica.
    pub(crate) async fn eventually<V>(&self, what: &str, mut find: impl FnMut() -> Option<V>) -> V {
        let looking = async {
            loop {
                if let Some(found) = find() {
                    return found;
                }
                let changes = self.running.values().map(|replica| {
                    // Not every fact is a change of leader, term or applied index.
                    replica.changed(Duration::from_millis(50))
                });
                futures_util::future::select_all(changes).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_late| panic!("never: {what}"))
    }
}
