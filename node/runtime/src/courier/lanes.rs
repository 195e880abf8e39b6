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
mod tests {
    use tongban_types::CityCode;

    use super::*;

    #[test]
    fn cities_out_of_reach_keep_none_waiting_that_can_be_reached() {
        let group = |number: u32| GroupId(CityCode::new(110_000 + number * 100).unwrap());
        let good = group(41);
        let destinations: BTreeSet<GroupId> = (1..=41).map(group).collect();
        let mut lanes = Lanes::default();
        let mut begun = Vec::new();
        // Every rest ends before the next look, which is the worst there is.
        for _ in 0..2 {
            let round = lanes.begin(&destinations);
            assert!(round.len() <= DELIVERIES_MAX);
            for (to, _) in &round {
                let delivered = if *to == good {
                    Delivered::Whole
                } else {
                    Delivered::InPart
                };
                lanes.end(*to, Part::HandingOver, delivered, None, Duration::ZERO);
                lanes.wake(*to);
            }
            begun.extend(round.into_iter().map(|(to, _)| to));
        }
        assert!(begun.contains(&good));
        assert_eq!(begun.len(), 2 * DELIVERIES_MAX);
    }

    #[test]
    fn who_rests_takes_no_place_and_is_not_begun() {
        let group = |number: u32| GroupId(CityCode::new(110_000 + number * 100).unwrap());
        let destinations: BTreeSet<GroupId> = (1..=40).map(group).collect();
        let mut lanes = Lanes::default();
        for (to, _) in lanes.begin(&destinations) {
            let (part, cut) = (Part::HandingOver, Delivered::InPart);
            lanes.end(to, part, cut, None, Duration::ZERO);
        }
        let begun: Vec<GroupId> = lanes
            .begin(&destinations)
            .into_iter()
            .map(|it| it.0)
            .collect();
        assert_eq!(begun, (33..=40).map(group).collect::<Vec<_>>());
        assert!(lanes.begin(&destinations).is_empty());
    }

    const OLDER: Span = Span { first: 3, last: 9 };
    const NEWER: Span = Span {
        first: 10,
        last: 12,
    };

    /// Lanes to one group, a delivery to which is being entered.
    fn entering() -> (Lanes, GroupId, BTreeSet<GroupId>) {
        let group = GroupId(CityCode::new(350_100).unwrap());
        let destinations = BTreeSet::from([group]);
        let mut lanes = Lanes::default();
        assert_eq!(lanes.begin(&destinations).len(), 1);
        let is_none_begun = lanes.begin(&destinations).is_empty();
        assert!(is_none_begun, "handed over one by one");
        assert!(lanes.begin_entering(group, OLDER));
        (lanes, group, destinations)
    }

    fn entered(lanes: &mut Lanes, to: GroupId, span: Span, delivered: Delivered) -> Ended {
        let last = Some(span.last);
        lanes.end(to, Part::Entering, delivered, last, Duration::ZERO)
    }

    #[test]
    fn the_next_delivery_begins_beside_the_entering_of_one_and_is_entered_behind_it() {
        let (mut lanes, group, destinations) = entering();
        let begun = lanes.begin(&destinations);
        assert_eq!(begun[0].1.entering, Some(OLDER));
        assert!(!lanes.begin_entering(group, NEWER), "entered one by one");
        entered(&mut lanes, group, OLDER, Delivered::Whole);
        let is_none_begun = lanes.begin(&destinations).is_empty();
        assert!(is_none_begun, "the newer is still on its way");
        assert!(lanes.begin_entering(group, NEWER));
        assert_eq!(lanes.begin(&destinations).len(), 1);
        // Nothing is left: no place is taken for it again before that shows.
        lanes.end_without_any(group);
        assert!(lanes.begin(&destinations).is_empty());
        entered(&mut lanes, group, NEWER, Delivered::Whole);
        assert_eq!(lanes.begin(&destinations)[0].1.entering, None);
    }

    #[test]
    fn an_entering_that_fails_beside_the_next_delivery_lets_no_other_begin_until_it_has_rested() {
        let (mut lanes, group, destinations) = entering();
        assert_eq!(lanes.begin(&destinations).len(), 1);
        let ended = entered(&mut lanes, group, OLDER, Delivered::InPart);
        assert_eq!(ended.attempt, 1);
        assert!(lanes.begin_entering(group, NEWER), "it was on its way");
        assert!(lanes.begin(&destinations).is_empty());
        entered(&mut lanes, group, NEWER, Delivered::Whole);
        assert!(lanes.begin(&destinations).is_empty());
        lanes.wake(group);
        let begun = lanes.begin(&destinations);
        assert_eq!(begun[0].1.cursor, 0, "from the first that waits");
    }

    #[test]
    fn what_nobody_signs_is_tried_again_by_half_from_where_it_begins_whatever_else_goes_over() {
        let group = GroupId(CityCode::new(350_100).unwrap());
        let destinations = BTreeSet::from([group]);
        let mut lanes = Lanes::default();
        let begin = |lanes: &mut Lanes| {
            let lane = lanes.begin(&destinations).remove(0).1;
            let tried = lane.window.first_of(lane.cursor..20);
            (lane.attempt, tried)
        };
        assert_eq!(begin(&mut lanes), (0, (0..20).collect()));
        let ended = lanes.end_unsigned(group, &[3, 5, 7, 9], Duration::ZERO);
        assert_eq!(ended.attempt, 1);
        assert!(lanes.begin(&destinations).is_empty(), "it rests");
        lanes.wake(group);
        assert_eq!(begin(&mut lanes), (1, vec![3, 4]));
        lanes.on_signed(group, &[3, 4]);
        let (part, whole) = (Part::HandingOver, Delivered::Whole);
        lanes.end(group, part, whole, Some(4), Duration::ZERO);
        assert_eq!(begin(&mut lanes), (0, vec![0, 1, 2, 3]));
    }

    #[test]
    fn a_delivery_spans_its_packets_and_what_stands_between_them() {
        let span = Span::of(&[23, 25, 40]).unwrap();
        assert!(span.holds(23) && span.holds(30) && span.holds(40));
        assert!(!span.holds(22) && !span.holds(41));
        assert_eq!(Span::of(&[]), None);
    }

    /// Takes a lane through deliveries, one a second; how often a person is told.
    fn told(lane: &mut DeliveryLane, from: u64, deliveries: &[(Delivered, u64)]) -> usize {
        let each = (from..).map(Duration::from_secs).zip(deliveries);
        let told = each.filter(|(now, (delivered, last))| {
            *lane = lane.after(*delivered, Some(*last), *now);
            matches!(delivered, Delivered::Refused(_)) && lane.tells(*now)
        });
        told.count()
    }

    #[test]
    fn a_refusal_that_stays_is_told_once_though_later_packets_are_answered() {
        let refused = (Delivered::Refused(Code::KEY_OUT_OF_TIME), 7);
        let (later, first) = ((Delivered::Whole, 9), (Delivered::Whole, 7));
        let mut lane = DeliveryLane::default();
        assert_eq!(told(&mut lane, 100, &[refused, later].repeat(5)), 0);
        assert_eq!(told(&mut lane, 110, &[refused, later].repeat(100)), 1);
        // It is answered at last, and another one is a matter of its own.
        assert_eq!(told(&mut lane, 310, &[first]), 0);
        assert_eq!(told(&mut lane, 311, &[refused].repeat(10)), 0);
        assert_eq!(told(&mut lane, 321, &[refused].repeat(100)), 1);
    }

    #[test]
    fn a_line_that_is_cut_is_no_refusal() {
        let cut = (Delivered::InPart, 7);
        let mut lane = DeliveryLane::default();
        assert_eq!(told(&mut lane, 0, &[cut].repeat(100)), 0);
        assert!(lane.refused_since.is_none() && lane.attempt == 100 && lane.cursor == 8);
    }
}
