//! Whose turn it is among the groups delivered to, how the deliveries to each of them go, and when a person is
//! told of packets that are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tongban_types::{Code, GroupId};

use super::window::Window;

/// Deliveries under way at once, at most two to one group; other groups take their turn as these finish.
const DELIVERIES_MAX: usize = 32;

/// How long packets are refused before a person is told: what passes by itself, as a registry that one of
/// two groups has first, passes sooner.
const TOLD_AFTER: Duration = Duration::from_secs(10);

/// The deliveries to all groups. A group that does not answer keeps no other waiting.
#[derive(Default)]
pub(super) struct Lanes {
    by_group: BTreeMap<GroupId, DeliveryLane>,
    /// Which was begun last: the others have their turn before it.
    last: Option<GroupId>,
}

/// How the deliveries to one group go.
#[derive(Clone, Default)]
pub(super) struct DeliveryLane {
    turn: Turn,
    /// How much travels together.
    pub(super) window: Window,
    /// The packets of the delivery whose answers are being entered: it takes one of the places too.
    pub(super) entering: Option<Span>,
    attempt: u32,
    /// The last one that ended failed a moment ago: no other begins.
    is_resting: bool,
    /// Where the next round begins: behind what was just tried, so that packets which are not taken
    /// in do not keep others waiting.
    pub(super) cursor: u64,
    /// Since when the group refuses packets, until all from the first on is answered.
    refused_since: Option<Duration>,
    /// A person was told of that.
    is_told: bool,
}

/// Whether another delivery may begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    /// As soon as there is a place.
    #[default]
    Ready,
    /// One is on its way to the group: it takes one of the places.
    HandingOver,
    /// There is nothing but what is being entered: when that has ended.
    AllEntering,
}

/// Positions of our outbox from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    first: u64,
    last: u64,
}

impl Span {
    /// From the first to the last; `None` where there are none.
    pub(super) fn of(positions: &[u64]) -> Option<Self> {
        Some(Self {
            first: *positions.iter().min()?,
            last: *positions.iter().max()?,
        })
    }

    pub(super) fn holds(self, position: u64) -> bool {
        (self.first..=self.last).contains(&position)
    }
}

/// The parts of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The other group takes packets in.
    HandingOver,
    /// Ours enters its answers, beside the handing over of the next delivery.
    Entering,
}

/// How a lane stands behind a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Deliveries in a row that failed.
    pub(super) attempt: u32,
    /// A person is to be told of refusals now.
    pub(super) is_told_now: bool,
}

/// What a delivery came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// All of it was answered, and the answers are entered.
    Whole,
    /// Not all of it: the rest is tried again.
    InPart,
    /// The group judged what was brought, and takes in none of it.
    Refused(Code),
}

impl DeliveryLane {
    /// Deliveries of it.
    fn under_way(&self) -> usize {
        usize::from(self.turn == Turn::HandingOver) + usize::from(self.entering.is_some())
    }

    /// How it stands behind a delivery of packets up to `last`.
    fn after(&self, delivered: Delivered, last: Option<u64>, now: Duration) -> Self {
        if delivered == Delivered::Whole {
            // What voters do not sign is not what this one carried.
            let whole = Self {
                window: self.window.clone(),
                ..Self::default()
            };
            if self.cursor == 0 {
                return whole;
            }
            // What is refused stands before a later packet, and is still there.
            return Self {
                refused_since: self.refused_since,
                is_told: self.is_told,
                ..whole
            };
        }
        let is_refused = matches!(delivered, Delivered::Refused(_));
        Self {
            attempt: self.attempt.saturating_add(1),
            cursor: last.map_or(0, |last| last + 1),
            refused_since: self.refused_since.or(is_refused.then_some(now)),
            ..self.clone()
        }
    }

    /// Whether a person is to be told of refusals now, which is once.
    fn tells(&mut self, now: Duration) -> bool {
        let is_long = |since| now >= since + TOLD_AFTER;
        let is_due = !self.is_told && self.refused_since.is_some_and(is_long);
        self.is_told |= is_due;
        is_due
    }
}

impl Lanes {
    /// Takes the lanes whose turn it is, as far as there are places.
    pub(super) fn begin(
        &mut self,
        destinations: &BTreeSet<GroupId>,
    ) -> Vec<(GroupId, DeliveryLane)> {
        let under_way: usize = self.by_group.values().map(DeliveryLane::under_way).sum();
        let places = DELIVERIES_MAX.saturating_sub(under_way);
        let is_behind = |to: &&GroupId| self.last.is_none_or(|last| **to > last);
        let (behind, before): (Vec<&GroupId>, Vec<&GroupId>) =
            destinations.iter().partition(is_behind);
        let mut begun = Vec::new();
        for to in behind.into_iter().chain(before) {
            if begun.len() == places {
                break;
            }
            let lane = self.by_group.entry(*to).or_default();
            if lane.turn == Turn::Ready && !lane.is_resting {
                lane.turn = Turn::HandingOver;
                begun.push((*to, lane.clone()));
                self.last = Some(*to);
            }
        }
        begun
    }

    /// Gives the place back of a delivery for which nothing is left, because all there is is being entered.
    pub(super) fn end_without_any(&mut self, to: GroupId) {
        let lane = self.by_group.entry(to).or_default();
        lane.turn = match lane.entering {
            Some(_) => Turn::AllEntering,
            None => Turn::Ready,
        };
    }

    /// Goes on from handing over to entering, unless another delivery to the group is being entered.
    pub(super) fn begin_entering(&mut self, to: GroupId, span: Span) -> bool {
        let lane = self.by_group.entry(to).or_default();
        if lane.entering.is_some() {
            return false;
        }
        lane.entering = Some(span);
        lane.turn = Turn::Ready;
        true
    }

    /// Gives the place back of a delivery of packets up to `last` that ended in this part.
    pub(super) fn end(
        &mut self,
        to: GroupId,
        part: Part,
        delivered: Delivered,
        last: Option<u64>,
        now: Duration,
    ) -> Ended {
        let lane = self.by_group.entry(to).or_default();
        let (turn, entering) = match (part, lane.turn) {
            (Part::HandingOver, _) => (Turn::Ready, lane.entering),
            // The next one is on its way already.
            (Part::Entering, Turn::HandingOver) => (Turn::HandingOver, None),
            (Part::Entering, Turn::Ready | Turn::AllEntering) => (Turn::Ready, None),
        };
        // A rest ends by itself, whatever the others come to meanwhile.
        let is_resting = lane.is_resting || delivered != Delivered::Whole;
        *lane = DeliveryLane {
            turn,
            entering,
            is_resting,
            ..lane.after(delivered, last, now)
        };
        let is_refused = matches!(delivered, Delivered::Refused(_));
        Ended {
            attempt: lane.attempt,
            is_told_now: is_refused && lane.tells(now),
        }
    }

    /// A majority signed what a delivery to the group carries.
    pub(super) fn on_signed(&mut self, to: GroupId, positions: &[u64]) {
        let lane = self.by_group.entry(to).or_default();
        lane.window.on_signed(positions);
    }

    /// Gives the place back of a delivery of packets that no majority signed.
    pub(super) fn end_unsigned(&mut self, to: GroupId, positions: &[u64], now: Duration) -> Ended {
        let ended = self.end(to, Part::HandingOver, Delivered::InPart, None, now);
        let lane = self.by_group.entry(to).or_default();
        lane.cursor = lane.window.on_unsigned(positions);
        ended
    }

    pub(super) fn wake(&mut self, to: GroupId) {
        if let Some(lane) = self.by_group.get_mut(&to) {
            lane.is_resting = false;
        }
    }
}

#[cfg(test)]
mod tests;
