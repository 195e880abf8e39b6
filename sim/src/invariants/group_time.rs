//! Group time is sound: it never goes back, and is never ahead of what the clocks of honest voters
//! have shown; and it goes on once the faults are over.

use std::collections::BTreeMap;

use tongban_types::{GroupId, Timestamp};

use super::Violation;
use crate::world::sight::Sight;

const NAME: &str = "group time sound";

/// The latest group time seen of each group.
#[derive(Debug, Default)]
pub struct GroupTime {
    latest: BTreeMap<GroupId, (u64, Timestamp)>,
}

impl GroupTime {
    /// Judges every replica: `shown` is the latest time the clock of an honest voter of a group ever
    /// showed.
    pub fn check(
        &mut self,
        sight: &Sight,
        shown: &BTreeMap<GroupId, Timestamp>,
    ) -> Result<(), Violation> {
        for (group, seen) in &sight.groups {
            for replica in &seen.replicas {
                let bound = shown.get(group).copied().unwrap_or_default();
                if replica.time > bound {
                    let ahead = replica.time.ms_since(bound);
                    return broken(
                        *group,
                        &format!("is {ahead} ms ahead of every honest voter"),
                    );
                }
                let latest = self.latest.entry(*group).or_default();
                if replica.index >= latest.0 {
                    if replica.time < latest.1 {
                        return broken(*group, "went back");
                    }
                    *latest = (replica.index, replica.time);
                }
            }
        }
        Ok(())
    }

    /// Judges progress between two moments of a calm world.
    pub fn check_progress(before: &Sight, after: &Sight) -> Result<(), Violation> {
        for (group, seen) in &after.groups {
            let time = |sight: &Sight| {
                sight
                    .groups
                    .get(group)?
                    .replicas
                    .iter()
                    .map(|replica| replica.time)
                    .max()
            };
            if time(after) <= time(before) || seen.replicas.is_empty() {
                return broken(*group, "stands still though the world is calm");
            }
        }
        Ok(())
    }
}

fn broken(group: GroupId, what: &str) -> Result<(), Violation> {
    Err(Violation::new(
        NAME,
        format!("time of group {group} {what}"),
    ))
}
