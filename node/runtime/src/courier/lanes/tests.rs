//! Whose turn it is, what a lane does behind each end of a delivery, and when a person is told.

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
