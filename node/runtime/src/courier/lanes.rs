//! Whose turn it is among the groups delivered to, how the deliveries to each of them go, and when a person is
//! told of packets that are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tongban_types::{Code, GroupId};

/// Groups delivered to at once; the others take their turn as these finish.
const DESTINATIONS_MAX: usize = 32;

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
#[derive(Clone, Copy, Default)]
pub(super) struct DeliveryLane {
    /// A delivery is under way: it takes one of the places.
    is_busy: bool,
    /// The last delivery failed a moment ago: it takes no place.
    pub(super) is_resting: bool,
    pub(super) attempt: u32,
    /// Where the next round begins: behind what was just tried, so that packets which are not taken
    /// in do not keep others waiting.
    pub(super) cursor: u64,
    /// Since when the group refuses packets, until all from the first on is answered.
    refused_since: Option<Duration>,
    /// A person was told of that.
    is_told: bool,
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
    /// How it stands behind a delivery of packets up to `last`.
    pub(super) fn after(self, delivered: Delivered, last: Option<u64>, now: Duration) -> Self {
        if delivered == Delivered::Whole {
            let whole = Self::default();
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
            is_resting: true,
            attempt: self.attempt.saturating_add(1),
            cursor: last.map_or(0, |last| last + 1),
            refused_since: self.refused_since.or(is_refused.then_some(now)),
            ..self
        }
    }

    /// Whether a person is to be told of refusals now, which is once.
    pub(super) fn tells(&mut self, now: Duration) -> bool {
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
        let under_way = self.by_group.values().filter(|lane| lane.is_busy).count();
        let places = DESTINATIONS_MAX.saturating_sub(under_way);
        let is_behind = |to: &&GroupId| self.last.is_none_or(|last| **to > last);
        let (behind, before): (Vec<&GroupId>, Vec<&GroupId>) =
            destinations.iter().partition(is_behind);
        let mut begun = Vec::new();
        for to in behind.into_iter().chain(before) {
            if begun.len() == places {
                break;
            }
            let lane = self.by_group.entry(*to).or_default();
            if !lane.is_busy && !lane.is_resting {
                lane.is_busy = true;
                begun.push((*to, *lane));
                self.last = Some(*to);
            }
        }
        begun
    }

    /// Gives a place back.
    pub(super) fn end(&mut self, to: GroupId, lane: DeliveryLane) {
        let is_busy = false;
        self.by_group.insert(to, DeliveryLane { is_busy, ..lane });
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
            assert!(round.len() <= DESTINATIONS_MAX);
            for (to, lane) in &round {
                let is_resting = *to != good;
                lanes.end(
                    *to,
                    DeliveryLane {
                        is_resting,
                        ..*lane
                    },
                );
                lanes.wake(*to);
            }
            begun.extend(round.into_iter().map(|(to, _)| to));
        }
        assert!(begun.contains(&good));
        assert_eq!(begun.len(), 2 * DESTINATIONS_MAX);
    }

    #[test]
    fn who_rests_takes_no_place_and_is_not_begun() {
        let group = |number: u32| GroupId(CityCode::new(110_000 + number * 100).unwrap());
        let destinations: BTreeSet<GroupId> = (1..=40).map(group).collect();
        let mut lanes = Lanes::default();
        for (to, lane) in lanes.begin(&destinations) {
            let is_resting = true;
            lanes.end(to, DeliveryLane { is_resting, ..lane });
        }
        let begun: Vec<GroupId> = lanes
            .begin(&destinations)
            .into_iter()
            .map(|it| it.0)
            .collect();
        assert_eq!(begun, (33..=40).map(group).collect::<Vec<_>>());
        assert!(lanes.begin(&destinations).is_empty());
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
        assert!(lane.is_resting && lane.attempt == 100 && lane.cursor == 8);
    }
}
