//! Where hosted groups stand by what their own logs showed last, for while such a log cannot be read: a
//! state that is filled from a snapshot shows nothing. Whoever took that for a log without orders would
//! go back to where the group began; and no log takes an order back, so that what it showed still holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tongban_machine::Placement;
use tongban_types::GroupId;

use crate::ports::StateFailed;

/// The newest placement that was read from the log of each hosted group; none of one without orders.
#[derive(Debug, Default)]
pub(crate) struct ShownPlacements(Mutex<BTreeMap<GroupId, Placement>>);

impl ShownPlacements {
    /// What a group's log says by a read of it, or, where it could not be read, by one before.
    pub(crate) fn with(
        &self,
        group: GroupId,
        read: Result<Option<Placement>, StateFailed>,
    ) -> Option<Placement> {
        let mut shown = self.shown();
        let before = shown.get(&group);
        match read {
            Ok(Some(found)) => {
                // Of two readers at once the slower one may have seen less.
                if before.is_none_or(|before| before.version < found.version) {
                    shown.insert(group, found.clone());
                }
                Some(found)
            }
            Ok(None) => None,
            Err(_) => before.cloned(),
        }
    }

    /// Lets go what was read of a group that is kept here no longer.
    pub(crate) fn forget(&self, group: GroupId) {
        self.shown().remove(&group);
    }

    fn shown(&self) -> MutexGuard<'_, BTreeMap<GroupId, Placement>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(version: u64) -> Placement {
        Placement {
            version,
            ..Placement::default()
        }
    }

    #[test]
    fn what_a_log_showed_holds_while_it_cannot_be_read() {
        let [group, other] = ["350100", "610500"].map(|city| GroupId(city.parse().unwrap()));
        let shown = ShownPlacements::default();
        let unread = |group| shown.with(group, Err(StateFailed::Filling));
        let read = |version| shown.with(group, Ok(Some(placement(version))));
        assert_eq!(unread(group), None);
        assert_eq!(read(3), Some(placement(3)));
        assert_eq!(unread(group), Some(placement(3)));
        assert_eq!(unread(other), None);
        assert_eq!(read(2), Some(placement(2)), "a slower reader");
        assert_eq!(unread(group), Some(placement(3)));
        shown.forget(group);
        assert_eq!(unread(group), None);
    }
}
