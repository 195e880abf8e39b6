//! Who agrees with a replica, as it hears them in the log: the voters' reports of their state hashes,
//! counted. What is counted here is not written down; a replica that starts again hears anew.

use std::collections::BTreeMap;

use tongban_types::{NodeId, Timestamp};

use crate::ports::Placement;

/// An agreement counts so long, and so long a difference is borne on which too few have spoken: a voter
/// reports every few seconds, and a node that is started again is back within a minute.
const LATELY_MS: i64 = 60_000;

/// From one report to the next so much group time counts at most: it leaps when a group wakes that slept,
/// and nobody could speak in between.
const STEP_MS_MAX: i64 = 5_000;

/// How a replica stands among the voters of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Footing {
    /// A majority agrees with it.
    Agreed,
    /// Too few have spoken, and not for long.
    Open,
    /// A majority agrees no more, or too few agreed for too long: it must stop.
    Lost,
}

/// What a voter said last, by the clock of [`Dissent`].
#[derive(Clone, Copy, Debug)]
enum Word {
    Same { at_ms: i64 },
    Other { since_ms: i64 },
}

/// What the voters said of their state, held against this replica's. Its own reports are among them, so
/// whoever hears the same log in the same state comes to the same footing.
#[derive(Debug, Default)]
pub(super) struct Dissent {
    words: BTreeMap<NodeId, Word>,
    clock_ms: i64,
    heard_at: Option<Timestamp>,
}

impl Dissent {
    /// A voter reported the same state, at a moment of group time.
    pub(super) fn on_same(&mut self, voter: NodeId, time: Timestamp) {
        self.step(time);
        let at_ms = self.clock_ms;
        self.words.insert(voter, Word::Same { at_ms });
    }

    /// A voter reported another state, at a moment of group time; how this replica stands now among the
    /// voters in force.
    pub(super) fn on_other(
        &mut self,
        voter: NodeId,
        time: Timestamp,
        placement: &Placement,
    ) -> Footing {
        self.step(time);
        let since_ms = match self.words.get(&voter) {
            Some(Word::Other { since_ms }) => *since_ms,
            Some(Word::Same { .. }) | None => self.clock_ms,
        };
        self.words.insert(voter, Word::Other { since_ms });
        self.words.retain(|node, _| placement.voters.contains(node));
        self.footing(since_ms, placement)
    }

    /// Group time is what no single voter can hurry; a voter that speaks often makes nobody late.
    fn step(&mut self, time: Timestamp) {
        let passed = self.heard_at.map_or(0, |before| time.ms_since(before));
        self.clock_ms += passed.clamp(0, STEP_MS_MAX);
        self.heard_at = Some(time);
    }

    /// How it stands, at a report of a voter that differs since then. One that differed before and speaks no
    /// more shortens no patience.
    fn footing(&self, since_ms: i64, placement: &Placement) -> Footing {
        let is_long_ago = |at_ms: i64| self.clock_ms - at_ms > LATELY_MS;
        let (mut same, mut other) = (0, 0);
        for word in self.words.values() {
            match *word {
                Word::Same { at_ms } => same += usize::from(!is_long_ago(at_ms)),
                Word::Other { .. } => other += 1,
            }
        }
        let majority = placement.majority();
        if same >= majority {
            Footing::Agreed
        } else if is_long_ago(since_ms) || placement.voters.len().saturating_sub(other) < majority {
            Footing::Lost
        } else {
            Footing::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_unix_ms(1_772_415_000_000);

    /// Between two reports of one voter.
    const PERIOD_MS: i64 = 3_000;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn voters(numbers: &[u8]) -> Placement {
        Placement {
            voters: numbers.iter().copied().map(node).collect(),
            ..Placement::default()
        }
    }

    /// A log with reports, heard by a replica whose state is that of some of the voters.
    struct Hearing {
        dissent: Dissent,
        placement: Placement,
        like_ours: Vec<u8>,
        time: Timestamp,
        footing: Footing,
    }

    impl Hearing {
        fn of(voters_in_force: &[u8], like_ours: &[u8]) -> Self {
            Self {
                dissent: Dissent::default(),
                placement: voters(voters_in_force),
                like_ours: like_ours.to_vec(),
                time: BEGIN,
                footing: Footing::Agreed,
            }
        }

        /// A replica that stopped hears no more.
        fn hear(&mut self, voter: u8) {
            if self.footing == Footing::Lost {
                return;
            }
            if self.like_ours.contains(&voter) {
                self.dissent.on_same(node(voter), self.time);
            } else {
                let time = self.time;
                self.footing = self.dissent.on_other(node(voter), time, &self.placement);
            }
        }

        /// So many rounds in which each of these reports once.
        fn rounds(&mut self, count: usize, reporters: &[u8]) -> Footing {
            for _ in 0..count {
                for voter in reporters {
                    self.hear(*voter);
                }
                self.time = self.time.plus_ms(PERIOD_MS);
            }
            self.footing
        }
    }

    #[test]
    fn of_three_the_one_that_differs_stops_and_the_others_never_do() {
        for order in [[1, 2, 3], [3, 1, 2], [1, 3, 2]] {
            let mut with_most = Hearing::of(&[1, 2, 3], &[1, 2]);
            assert_eq!(
                with_most.rounds(1_000, &order),
                Footing::Agreed,
                "{order:?}"
            );
            let mut alone = Hearing::of(&[1, 2, 3], &[3]);
            assert_eq!(alone.rounds(1, &order), Footing::Lost, "{order:?}");
        }
    }

    #[test]
    fn of_five_two_may_differ_and_three_may_not() {
        let all = [1, 2, 3, 4, 5];
        assert_eq!(
            Hearing::of(&all, &[1, 2, 3]).rounds(1_000, &all),
            Footing::Agreed
        );
        assert_eq!(Hearing::of(&all, &[4, 5]).rounds(1, &all), Footing::Lost);
        // Each of them another one: nobody has a majority.
        assert_eq!(Hearing::of(&all, &[1]).rounds(1, &all), Footing::Lost);
    }

    #[test]
    fn with_one_voter_down_two_that_differ_both_stop_but_not_before_it_may_be_back() {
        for ours in [1, 2] {
            let mut before = Hearing::of(&[1, 2, 3], &[ours]);
            assert_eq!(before.rounds(15, &[1, 2]), Footing::Open);
            let mut without_it = Hearing::of(&[1, 2, 3], &[ours]);
            assert_eq!(without_it.rounds(30, &[1, 2]), Footing::Lost);
            let mut with_it = Hearing::of(&[1, 2, 3], &[ours, 3]);
            with_it.rounds(15, &[1, 2]);
            assert_eq!(with_it.rounds(1_000, &[3, 1, 2]), Footing::Agreed);
        }
    }

    #[test]
    fn an_agreement_of_long_ago_does_not_count() {
        let mut hearing = Hearing::of(&[1, 2, 3], &[1, 3]);
        hearing.rounds(10, &[1, 2, 3]);
        assert_eq!(
            hearing.rounds(10, &[1, 2]),
            Footing::Agreed,
            "3 starts again"
        );
        assert_eq!(hearing.rounds(30, &[1, 2]), Footing::Lost);
    }

    #[test]
    fn one_that_differed_long_ago_and_is_silent_shortens_no_patience() {
        let all = [1, 2, 3, 4, 5];
        let mut hearing = Hearing::of(&all, &[1, 2, 3]);
        hearing.rounds(10, &[1, 2, 3, 5]);
        hearing.rounds(50, &[1, 2]);
        assert_eq!(
            hearing.rounds(10, &[1, 2, 4]),
            Footing::Open,
            "3 starts again"
        );
        assert_eq!(hearing.rounds(10, &[3, 1, 2, 4]), Footing::Agreed);
    }

    #[test]
    fn a_voter_that_reports_fast_makes_nobody_late() {
        let mut hearing = Hearing::of(&[1, 2, 3], &[1, 2]);
        for _ in 0..100 {
            hearing.rounds(1, &[1, 2]);
            for _ in 0..1_000 {
                hearing.hear(3);
            }
        }
        assert_eq!(hearing.footing, Footing::Agreed);
    }

    #[test]
    fn a_group_that_slept_wakes_without_a_stop() {
        let mut hearing = Hearing::of(&[1, 2, 3], &[1, 2]);
        hearing.rounds(100, &[1, 2, 3]);
        for voter in [2, 3, 1, 3] {
            hearing.hear(voter);
            hearing.time = hearing.time.plus_ms(3_600_000);
        }
        assert_eq!(hearing.rounds(100, &[3, 1, 2]), Footing::Agreed);
    }

    #[test]
    fn who_votes_no_more_has_no_voice_and_a_follower_goes_by_the_voters() {
        let mut hearing = Hearing::of(&[1, 2, 3], &[1, 2]);
        hearing.rounds(1, &[1, 2, 3]);
        hearing.placement = voters(&[1, 2, 4]);
        hearing.rounds(1, &[1, 2, 4]);
        assert_eq!(hearing.footing, Footing::Agreed);
        assert!(!hearing.dissent.words.contains_key(&node(3)));
        let mut follower = Hearing::of(&[1, 2, 3], &[]);
        assert_eq!(follower.rounds(1, &[1, 2, 3]), Footing::Lost);
    }

    #[test]
    fn a_state_that_became_ours_again_is_agreed_with() {
        let mut hearing = Hearing::of(&[1, 2, 3], &[1]);
        assert_eq!(hearing.rounds(10, &[1, 2]), Footing::Open);
        hearing.like_ours = vec![1, 2];
        hearing.rounds(30, &[1, 2]);
        assert_eq!(hearing.rounds(30, &[3, 1, 2]), Footing::Agreed);
    }

    #[test]
    fn of_two_both_stop_and_one_alone_has_nobody_to_differ_from() {
        assert_eq!(Hearing::of(&[1, 2], &[1]).rounds(1, &[1, 2]), Footing::Lost);
        assert_eq!(Hearing::of(&[1], &[1]).rounds(9, &[1]), Footing::Agreed);
    }
}
