//! The network between the machines of a world: requests and answers that are late, lost, sent
//! twice or overtaken, and links that are cut. It promises what the real one promises and no more.

mod delivery;
mod links;
mod options;
mod transport;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tongban_runtime::seams::{Lane, Service};
use tongban_types::NodeId;

pub use options::{NetFaults, NetOptions};
pub use transport::SimTransport;

use self::links::Links;
use crate::runtime::{Dice, Owner, World, lock};

/// The network of a world. Clones are the same network.
#[derive(Clone, Debug)]
pub struct SimNet(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    machines: BTreeMap<NodeId, Machine>,
    links: Links,
    /// Requests under way by sender, receiver and lane.
    waiting: BTreeMap<(NodeId, NodeId, Lane), usize>,
    options: NetOptions,
    dice: Dice,
    faults: NetFaults,
}

struct Machine {
    owner: Owner,
    /// Starts so far: a transport of an earlier one sends and serves nothing.
    start: u64,
    service: Option<Arc<dyn Service>>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("owner", &self.owner)
            .field("start", &self.start)
            .field("is_serving", &self.service.is_some())
            .finish()
    }
}

impl SimNet {
    /// A network without machines.
    pub fn new(options: NetOptions) -> Self {
        Self(Arc::new(Mutex::new(State {
            machines: BTreeMap::new(),
            links: Links::default(),
            waiting: BTreeMap::new(),
            options,
            dice: World::dice("net", 0),
            faults: NetFaults::default(),
        })))
    }

    /// Makes a machine known to all others. It is down until its transport serves.
    pub fn enroll(&self, node: NodeId, owner: Owner) {
        let machine = Machine {
            owner,
            start: 1,
            service: None,
        };
        lock(&self.0).machines.insert(node, machine);
    }

    /// The transport of an enrolled machine's current start.
    pub fn transport(&self, node: NodeId) -> SimTransport {
        let state = lock(&self.0);
        let start = state.machines.get(&node).map_or(0, |machine| machine.start);
        drop(state);
        SimTransport::new(self.clone(), node, start)
    }

    /// A machine is switched off: it answers nothing until a transport of its next start serves.
    /// Its tasks are the driver's to kill.
    pub fn power_off(&self, node: NodeId) {
        let mut state = lock(&self.0);
        let service = state.machines.get_mut(&node).and_then(|machine| {
            machine.start += 1;
            machine.service.take()
        });
        drop(state);
        drop(service);
    }

    /// Cuts what goes from one machine to another; what comes back still arrives.
    pub fn cut_one_way(&self, from: NodeId, to: NodeId) {
        lock(&self.0).links.cut(from, to);
    }

    /// Cuts the line between two machines.
    pub fn cut(&self, one: NodeId, other: NodeId) {
        let mut state = lock(&self.0);
        state.links.cut(one, other);
        state.links.cut(other, one);
    }

    /// Cuts every line of a machine.
    pub fn isolate(&self, node: NodeId) {
        let mut state = lock(&self.0);
        let state = &mut *state;
        for other in state.machines.keys().filter(|other| **other != node) {
            state.links.cut(node, *other);
            state.links.cut(*other, node);
        }
    }

    /// Mends the line between two machines.
    pub fn mend(&self, one: NodeId, other: NodeId) {
        let mut state = lock(&self.0);
        state.links.mend(one, other);
        state.links.mend(other, one);
    }

    /// Whether messages of two machines reach each other.
    pub fn is_linked(&self, one: NodeId, other: NodeId) -> bool {
        let state = lock(&self.0);
        !state.links.is_cut(one, other) && !state.links.is_cut(other, one)
    }

    /// Mends every line and stops drawing faults; distances stay.
    pub fn calm(&self) {
        let mut state = lock(&self.0);
        state.links.mend_all();
        state.options = state.options.clone().calm();
    }

    /// Changes how the network behaves from now on.
    pub fn configure(&self, change: impl FnOnce(&mut NetOptions)) {
        change(&mut lock(&self.0).options);
    }

    /// How often each fault was hit so far.
    pub fn faults(&self) -> NetFaults {
        lock(&self.0).faults
    }
}

#[cfg(test)]
mod tests;
