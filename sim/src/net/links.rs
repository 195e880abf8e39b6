//! Where messages may go and how long they take.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tongban_runtime::seams::Lane;
use tongban_types::NodeId;

use super::State;
use crate::runtime::World;

/// Which way a message goes on a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// From who asks to who answers.
    Request,
    /// Back.
    Answer,
}

/// One direction of one lane between two machines: what goes on it arrives in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) lane: Lane,
    pub(super) direction: Direction,
}

impl Route {
    /// The way back.
    pub(super) fn answer(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            lane: self.lane,
            direction: Direction::Answer,
        }
    }

    /// Puts a delivery into the trace.
    pub(super) fn note(self, bytes: &[u8]) {
        let ends = self.from.as_u64() << 32 | self.to.as_u64();
        World::note([ends, self.lane as u64, self.direction as u64], bytes);
    }
}

/// The lines between machines.
#[derive(Debug, Default)]
pub(super) struct Links {
    cut: BTreeSet<(NodeId, NodeId)>,
    /// The latest arrival on each route, as time since the world began.
    arrivals: BTreeMap<Route, Duration>,
}

impl Links {
    pub(super) fn cut(&mut self, from: NodeId, to: NodeId) {
        self.cut.insert((from, to));
    }

    pub(super) fn mend(&mut self, from: NodeId, to: NodeId) {
        self.cut.remove(&(from, to));
    }

    pub(super) fn mend_all(&mut self) {
        self.cut.clear();
    }

    pub(super) fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.cut.contains(&(from, to))
    }
}

impl State {
    /// Draws when a message sent now arrives: behind all earlier ones of its route, unless it is
    /// drawn to go its own way. Appends never are: their lane promises order, and openraft takes a
    /// follower whose answers come out of order for one that lost its log.
    pub(super) fn delay(&mut self, route: Route) -> Duration {
        let now = World::now();
        let mut arrival = now + self.distance(route);
        if self.dice.happens(self.options.spike) {
            self.faults.spiked += 1;
            arrival += self.dice.within(&self.options.spike_delay);
        }
        let may_overtake = route.lane != Lane::RaftAppend;
        let goes_its_own_way = may_overtake && self.dice.happens(self.options.reorder);
        let latest = self.links.arrivals.entry(route).or_default();
        if goes_its_own_way {
            self.faults.overtaken += u64::from(arrival < *latest);
        } else {
            // Never at the same instant: the order of timers of one instant is drawn.
            arrival = arrival.max(*latest + Duration::from_nanos(1));
            *latest = arrival;
        }
        arrival.saturating_sub(now)
    }

    /// Draws the time one way takes by distance alone.
    pub(super) fn distance(&mut self, route: Route) -> Duration {
        let province = |node: NodeId| node.city().number() / 10_000;
        let is_near = province(route.from) == province(route.to);
        let range = if is_near {
            &self.options.near
        } else {
            &self.options.far
        };
        self.dice.within(range)
    }
}
