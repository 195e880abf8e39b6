//! What waits at the desk, in memory: which record is whose, and when it is tried again. So neither a
//! list, nor a count, nor a round over a long queue reads every record.

use std::collections::BTreeMap;
use std::ops::Bound;

use tongban_types::{CaseNumber, Code, CommandId};

/// The applications that wait, by number, so in the order of their days.
pub(super) struct Shelf<I> {
    places: BTreeMap<CaseNumber, Place<I>>,
    refused: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place<I> {
    id: CommandId,
    /// The group refused it for this when it was tried last.
    refused: Option<Code>,
    /// It is left alone until then.
    rests_until: Option<I>,
}

impl<I: Copy + Ord> Shelf<I> {
    /// Takes up what was found.
    pub(super) fn of(found: impl Iterator<Item = (CaseNumber, CommandId, Option<Code>)>) -> Self {
        let mut shelf = Self {
            places: BTreeMap::new(),
            refused: 0,
        };
        shelf.put_missing(found);
        shelf
    }

    pub(super) fn put(&mut self, case: CaseNumber, id: CommandId) {
        self.remove(case);
        let place = Place {
            id,
            refused: None,
            rests_until: None,
        };
        self.places.insert(case, place);
    }

    pub(super) fn remove(&mut self, case: CaseNumber) {
        if let Some(place) = self.places.remove(&case) {
            self.refused -= usize::from(place.refused.is_some());
        }
    }

    /// Leaves a case alone for a while, with what the group refused it for.
    pub(super) fn rest(&mut self, case: CaseNumber, refused: Option<Code>, until: I) {
        self.set_refused(case, refused);
        if let Some(place) = self.places.get_mut(&case) {
            place.rests_until = Some(until);
        }
    }

    fn set_refused(&mut self, case: CaseNumber, refused: Option<Code>) {
        if let Some(place) = self.places.get_mut(&case) {
            self.refused -= usize::from(place.refused.is_some());
            self.refused += usize::from(refused.is_some());
            place.refused = refused;
        }
    }

    /// Takes up what is found and not here yet.
    pub(super) fn put_missing(
        &mut self,
        found: impl Iterator<Item = (CaseNumber, CommandId, Option<Code>)>,
    ) {
        for (case, id, refused) in found {
            if !self.places.contains_key(&case) {
                self.put(case, id);
                self.set_refused(case, refused);
            }
        }
    }

    pub(super) fn id_of(&self, case: CaseNumber) -> Option<CommandId> {
        self.places.get(&case).map(|place| place.id)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many of them the group refused when they were tried last.
    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    /// Those behind `after` that need not rest, at most `limit`.
    pub(super) fn due(
        &self,
        after: Option<CaseNumber>,
        now: I,
        limit: usize,
    ) -> Vec<(CaseNumber, CommandId)> {
        self.behind(after)
            .filter(|(_, place)| place.rests_until.is_none_or(|until| until <= now))
            .take(limit)
            .map(|(case, place)| (*case, place.id))
            .collect()
    }

    /// All behind `after`, at most `limit`.
    pub(super) fn list(&self, after: Option<CaseNumber>, limit: usize) -> Vec<CommandId> {
        self.behind(after)
            .take(limit)
            .map(|(_, place)| place.id)
            .collect()
    }

    fn behind(&self, after: Option<CaseNumber>) -> impl Iterator<Item = (&CaseNumber, &Place<I>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.places.range((from, Bound::Unbounded))
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, CivilDay};

    use super::*;

    fn case(sequence: u32) -> CaseNumber {
        let city: CityCode = "350100".parse().unwrap();
        let day = CivilDay::from_ymd(2026, 3, 2).unwrap();
        CaseNumber::new(city, day, 1, sequence).unwrap()
    }

    fn id(sequence: u32) -> CommandId {
        CommandId::derive(b"shelf", &sequence.to_be_bytes())
    }

    fn shelf(cases: u32) -> Shelf<u64> {
        Shelf::of((0..cases).map(|at| (case(at), id(at), None)))
    }

    #[test]
    fn what_rests_keeps_nobody_else_waiting() {
        let mut shelf = shelf(4);
        shelf.rest(case(0), None, 10);
        shelf.rest(case(1), Some(Code::UNKNOWN_ITEM), 10);
        let due = |shelf: &Shelf<u64>, now| -> Vec<CaseNumber> {
            let due = shelf.due(None, now, 2).into_iter();
            due.map(|(case, _)| case).collect()
        };
        assert_eq!(due(&shelf, 9), [case(2), case(3)]);
        assert_eq!(due(&shelf, 10), [case(0), case(1)]);
    }

    #[test]
    fn a_round_goes_on_behind_the_last_one() {
        let shelf = shelf(5);
        let first = shelf.due(None, 0, 3);
        let rest = shelf.due(Some(first[2].0), 0, 3);
        assert_eq!(rest, [(case(3), id(3)), (case(4), id(4))]);
        assert_eq!(shelf.due(Some(case(4)), 0, 3), []);
    }

    #[test]
    fn what_is_found_again_keeps_its_rest() {
        let mut shelf = shelf(1);
        shelf.rest(case(0), Some(Code::UNKNOWN_ITEM), 10);
        shelf.put_missing((0..2).map(|at| (case(at), id(at), None)));
        assert_eq!((shelf.len(), shelf.refused()), (2, 1));
        assert_eq!(shelf.due(None, 9, 9), [(case(1), id(1))]);
    }

    #[test]
    fn the_refused_are_counted_until_they_are_taken_in() {
        let mut shelf = shelf(3);
        shelf.rest(case(0), Some(Code::UNKNOWN_ITEM), 1);
        shelf.rest(case(0), Some(Code::UNKNOWN_ITEM), 2);
        shelf.rest(case(1), Some(Code::KEY_WITHOUT_RIGHT), 2);
        assert_eq!((shelf.len(), shelf.refused()), (3, 2));
        shelf.remove(case(0));
        shelf.rest(case(1), None, 3);
        assert_eq!((shelf.len(), shelf.refused()), (2, 0));
        assert_eq!(shelf.id_of(case(0)), None);
    }
}
