//! A network in memory: one ordered channel for each (from, to, lane), links that can be cut, answers
//! that can be withheld, and counts of what was carried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot, watch};
use tongban_runtime::seams::{Lane, Service, Transport, TransportError};
use tongban_types::{Code, NodeId};

type Answer = oneshot::Sender<Result<Bytes, Code>>;
type Channel = (NodeId, NodeId, Lane);

/// The network all nodes of a test share.
#[derive(Clone, Default)]
pub(crate) struct Network(Arc<Inner>);

#[derive(Default)]
struct Inner {
    services: Mutex<BTreeMap<NodeId, Arc<dyn Service>>>,
    channels: Mutex<BTreeMap<Channel, mpsc::UnboundedSender<(Bytes, Answer)>>>,
    cut: Mutex<BTreeSet<(NodeId, NodeId)>>,
    refused: Mutex<BTreeMap<Lane, u64>>,
    carried: Watch<BTreeMap<Channel, Carried>>,
    withheld: Watch<BTreeSet<Lane>>,
    deaf: Mutex<BTreeSet<NodeId>>,
}

/// What a channel carried, lost requests included; those that found nobody are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) requests: u64,
    pub(crate) under_way: u64,
    pub(crate) body_bytes_max: usize,
}

/// A value whose changes can be waited for.
struct Watch<T>(watch::Sender<T>);

impl<T: Default> Default for Watch<T> {
    fn default() -> Self {
        Self(watch::Sender::new(T::default()))
    }
}

impl Network {
    /// The network as one node sees it.
    pub(crate) fn of(&self, me: NodeId) -> Arc<Link> {
        Arc::new(Link {
            me,
            network: self.clone(),
            served: OnceLock::new(),
        })
    }

    /// Takes a node off the network: nothing listens there any more.
    pub(crate) fn remove(&self, node: NodeId) {
        self.0.services.lock().unwrap().remove(&node);
    }

    /// Loses everything between `node` and the others.
    pub(crate) fn cut_off(&self, node: NodeId, others: &[NodeId]) {
        let mut cut = self.0.cut.lock().unwrap();
        for other in others.iter().filter(|other| **other != node) {
            cut.insert((node, *other));
            cut.insert((*other, node));
        }
    }

    /// Loses nothing any more.
    pub(crate) fn heal(&self) {
        self.0.deaf.lock().unwrap().clear();
        self.0.cut.lock().unwrap().clear();
    }

    /// After `requests` more on `lane`, the next one finds its peer unreachable.
    pub(crate) fn refuse_one_after(&self, lane: Lane, requests: u64) {
        self.0.refused.lock().unwrap().insert(lane, requests);
    }

    /// Holds answers on `lane` back, or lets them go.
    pub(crate) fn withhold(&self, lane: Lane, hold: bool) {
        self.0.withheld.0.send_modify(|lanes| {
            if hold {
                lanes.insert(lane);
            } else {
                lanes.remove(&lane);
            }
        });
    }

    /// Loses the answers to everything `node` asks; what it says is heard.
    pub(crate) fn deafen(&self, node: NodeId) {
        self.0.deaf.lock().unwrap().insert(node);
    }

    /// Waits until a channel's counts pass `test`.
    pub(crate) async fn until_carried(
        &self,
        from: NodeId,
        to: NodeId,
        lane: Lane,
        test: impl Fn(Carried) -> bool,
    ) {
        let mut carried = self.0.carried.0.subscribe();
        let seen =
            carried.wait_for(|all| test(all.get(&(from, to, lane)).copied().unwrap_or_default()));
        let waited = tokio::time::timeout(Duration::from_mins(1), seen).await;
        let _seen = waited.expect("the network carries it in time").unwrap();
    }

    /// What a channel carried so far.
    pub(crate) fn carried(&self, from: NodeId, to: NodeId, lane: Lane) -> Carried {
        let carried = self.0.carried.0.borrow();
        carried.get(&(from, to, lane)).copied().unwrap_or_default()
    }

    fn count(&self, channel: Channel, change: impl FnOnce(&mut Carried)) {
        let counts = |all: &mut BTreeMap<Channel, Carried>| {
            change(all.entry(channel).or_default());
        };
        self.0.carried.0.send_modify(counts);
    }

    fn is_refused(&self, lane: Lane) -> bool {
        let mut refused = self.0.refused.lock().unwrap();
        match refused.get_mut(&lane) {
            Some(0) => {
                refused.remove(&lane);
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn channel(&self, channel: Channel) -> mpsc::UnboundedSender<(Bytes, Answer)> {
        let mut channels = self.0.channels.lock().unwrap();
        let open = channels.entry(channel).or_insert_with(|| {
            let (sender, requests) = mpsc::unbounded_channel();
            tokio::spawn(self.clone().carry(channel, requests));
            sender
        });
        open.clone()
    }

    /// Polls the calls of one channel first in the order they came.
    async fn carry(
        self,
        (from, to, lane): Channel,
        mut requests: mpsc::UnboundedReceiver<(Bytes, Answer)>,
    ) {
        let mut calls = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(()) = calls.next() => {}
                request = requests.recv() => {
                    let Some((body, answer)) = request else { return };
                    calls.push(self.clone().call(from, to, lane, body, answer));
                }
            }
        }
    }

    async fn call(self, from: NodeId, to: NodeId, lane: Lane, body: Bytes, mut answer: Answer) {
        let service = self.0.services.lock().unwrap().get(&to).cloned();
        let Some(service) = service else { return };
        let answered = service.call(from, lane, body).await;
        if self.0.deaf.lock().unwrap().contains(&from) {
            // Kept, so that who asked sees silence and not a stream that broke.
            return answer.closed().await;
        }
        let mut withheld = self.0.withheld.0.subscribe();
        let _free = withheld.wait_for(|lanes| !lanes.contains(&lane)).await;
        let _gone = answer.send(answered);
    }
}

/// One node's end of the network.
pub(crate) struct Link {
    me: NodeId,
    network: Network,
    served: OnceLock<()>,
}

impl Transport for Link {
    async fn request(
        &self,
        to: NodeId,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> Result<Bytes, TransportError> {
        let inner = &self.network.0;
        let unreachable = TransportError::Unreachable { peer: to };
        let lost = inner.cut.lock().unwrap().contains(&(self.me, to));
        if !lost && !inner.services.lock().unwrap().contains_key(&to)
            || self.network.is_refused(lane)
        {
            return Err(unreachable);
        }
        let channel = (self.me, to, lane);
        let _under_way = UnderWay::begin(self.network.clone(), channel, body.len());
        let (answer, answered) = oneshot::channel();
        let mut kept = None;
        if lost {
            kept = Some(answer);
        } else {
            let sent = self.network.channel(channel).send((body, answer));
            sent.map_err(|_| unreachable.clone())?;
        }
        let outcome = tokio::time::timeout(ttl, answered).await;
        drop(kept);
        match outcome {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(code))) => Err(TransportError::Refused { peer: to, code }),
            Ok(Err(_dropped)) => Err(unreachable),
            Err(_late) => Err(TransportError::TimedOut {
                peer: to,
                after_ms: u64::try_from(ttl.as_millis()).unwrap(),
            }),
        }
    }

    fn serve(&self, service: Arc<dyn Service>) {
        assert!(self.served.set(()).is_ok(), "a node serves once");
        let mut services = self.network.0.services.lock().unwrap();
        services.insert(self.me, service);
    }

    fn connected(&self) -> Vec<NodeId> {
        let services = self.network.0.services.lock().unwrap();
        services
            .keys()
            .copied()
            .filter(|node| *node != self.me)
            .collect()
    }
}

/// Counts a request as under way as long as somebody waits for its answer.
struct UnderWay {
    network: Network,
    channel: Channel,
}

impl UnderWay {
    fn begin(network: Network, channel: Channel, body_bytes: usize) -> Self {
        network.count(channel, |carried| {
            carried.requests += 1;
            carried.under_way += 1;
            carried.body_bytes_max = carried.body_bytes_max.max(body_bytes);
        });
        Self { network, channel }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.network
            .count(self.channel, |carried| carried.under_way -= 1);
    }
}
