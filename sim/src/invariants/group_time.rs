//! Group time is sound: it never goes back, is never ahead of what the clocks of honest voters have
//! shown, and is never behind what two of them could report all along.

use std::collections::BTreeMap;

use tongban_types::{GroupId, Timestamp};

use super::Violation;
use crate::world::sight::Sight;

const NAME: &str = "group time sound";

/// Voters report every three seconds; an order waits for its leader as long again, and twice.
const CALM_LAG_MS_MAX: i64 = 15_000;

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

    /// Judges that nobody stops it: `owed` is what two honest voters of a group showed a while ago
    /// and could report ever since.
    pub fn check_owed(sight: &Sight, owed: &BTreeMap<GroupId, Timestamp>) -> Result<(), Violation> {
        for (group, owed) in owed {
            let replicas = sight.groups.get(group).map(|seen| &seen.replicas);
            let times = replicas.into_iter().flatten().map(|replica| replica.time);
            let time = times.max().unwrap_or_default();
            if time < *owed {
                let behind = owed.ms_since(time);
                return broken(*group, &format!("was stopped {behind} ms ago"));
            }
        }
        Ok(())
    }

    /// Judges it in a calm world, whose clocks are all right: every group knows about the time.
    pub fn check_calm(sight: &Sight, now: Timestamp) -> Result<(), Violation> {
        let owed = now.plus_ms(-CALM_LAG_MS_MAX);
        let all = sight.groups.keys().map(|group| (*group, owed));
        Self::check_owed(sight, &all.collect())
    }
}

fn broken(group: GroupId, what: &str) -> Result<(), Violation> {
    Err(Violation::new(
        NAME,
        format!("time of group {group} {what}"),
    ))
}
