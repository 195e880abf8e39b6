//! How much of an outbox voters are asked to sign at once: less after no majority signed it, until whatever
//! is not signed waits by itself.

use std::collections::BTreeSet;

use tongban_types::limits;

/// Parcels that travel alone are remembered up to this many a group. One is rare; where there are more than
/// these, the leader and its voters differ in their state, which stops one of them anyway.
const ALONE_MAX: usize = 16;

/// What travels together to one group.
///
/// Voters sign all of a delivery or nothing, so one parcel that no majority signs would hold back for ever
/// the 511 beside it. Of what was not signed the first half is tried next, down to one, and what was signed
/// lets twice as much travel the next time. So one such parcel is found with at most 28 tries in vain, and
/// holds nothing back from then on: it is tried by itself in its turn.
///
/// A majority out of reach looks the same. It costs some small deliveries once it is back: nine, each twice
/// the one before, and one for each parcel that was tried alone meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// From one to `limits::DELIVERY_PARCELS_MAX`.
    parcels_max: usize,
    /// Where the parcels stand that were not signed even alone.
    alone: BTreeSet<u64>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            parcels_max: limits::DELIVERY_PARCELS_MAX,
            alone: BTreeSet::new(),
        }
    }
}

impl Window {
    /// Of positions that wait, in order, the first that travel together.
    pub(super) fn first_of(&self, waiting: impl Iterator<Item = u64>) -> Vec<u64> {
        let is_alone = |position: &u64| self.alone.contains(position);
        let mut waiting = waiting.take(self.parcels_max).peekable();
        match waiting.next_if(is_alone) {
            Some(alone) => vec![alone],
            None => waiting.take_while(|it| !is_alone(it)).collect(),
        }
    }

    /// A majority signed these.
    pub(super) fn on_signed(&mut self, positions: &[u64]) {
        self.parcels_max = (2 * self.parcels_max).min(limits::DELIVERY_PARCELS_MAX);
        for position in positions {
            self.alone.remove(position);
        }
    }

    /// No majority signed these; from where on the next are tried. That is behind one alone, so that it
    /// keeps no others waiting.
    pub(super) fn on_unsigned(&mut self, positions: &[u64]) -> u64 {
        match positions {
            [] => 0,
            [alone] => {
                self.alone.insert(*alone);
                if self.alone.len() > ALONE_MAX {
                    self.alone.pop_first();
                }
                alone + 1
            }
            [first, ..] => {
                self.parcels_max = positions.len() / 2;
                *first
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARCELS: u64 = 1_024;

    /// Carries parcels from the first that waits until all that are ever signed have gone; how many tries
    /// were in vain.
    fn carried(unsigned: &[u64]) -> usize {
        let unsigned: BTreeSet<u64> = unsigned.iter().copied().collect();
        let mut waiting: BTreeSet<u64> = (0..PARCELS).collect();
        let (mut window, mut cursor, mut in_vain) = (Window::default(), 0, 0);
        while waiting != unsigned {
            let tried = window.first_of(waiting.range(cursor..).copied());
            if tried.is_empty() || tried.iter().any(|it| unsigned.contains(it)) {
                in_vain += 1;
                cursor = window.on_unsigned(&tried);
            } else {
                window.on_signed(&tried);
                for position in &tried {
                    waiting.remove(position);
                }
                cursor = 0;
            }
        }
        in_vain
    }

    #[test]
    fn a_parcel_that_nobody_signs_is_found_soon_and_waits_alone_at_last() {
        let places = (0..PARCELS).step_by(7);
        let most = places.map(|position| carried(&[position])).max();
        assert_eq!(most, Some(28));
        assert_eq!(carried(&[]), 0);
    }

    #[test]
    fn several_that_nobody_signs_are_found_one_after_the_other() {
        for others in [&[1][..], &[400, 511, 512, 700], &[1_023]] {
            let unsigned = [&[0][..], others].concat();
            assert!(carried(&unsigned) < 200, "{unsigned:?}");
        }
    }

    #[test]
    fn what_was_not_signed_alone_travels_alone_until_it_is_signed() {
        let mut window = Window::default();
        assert_eq!(window.on_unsigned(&[7]), 8);
        assert_eq!(window.first_of([3, 5, 7, 9].into_iter()), [3, 5]);
        assert_eq!(window.first_of([7, 9].into_iter()), [7]);
        window.on_signed(&[7]);
        assert_eq!(window.first_of([7, 9].into_iter()), [7, 9]);
    }

    #[test]
    fn without_a_majority_one_is_tried_at_a_time_and_little_is_remembered() {
        let mut window = Window::default();
        let mut cursor = 0;
        for _ in 0..100 {
            let tried = window.first_of(cursor..PARCELS);
            cursor = window.on_unsigned(&tried);
        }
        assert_eq!((window.parcels_max, window.alone.len()), (1, ALONE_MAX));
        // It is back: what was tried alone goes alone, and the rest soon as before.
        let mut waiting = 0..PARCELS;
        let mut deliveries = 0;
        while window.parcels_max < limits::DELIVERY_PARCELS_MAX || !window.alone.is_empty() {
            let tried = window.first_of(waiting.clone());
            window.on_signed(&tried);
            waiting.start += tried.len() as u64;
            deliveries += 1;
        }
        assert!(deliveries <= ALONE_MAX + 10, "{deliveries}");
    }
}
