//! Telling the other cities' groups of an order of placement: they count the voters it names from then on.
//! They are told as soon as the order is in force, beside the steps that carry it out, for whatever the
//! group certifies meanwhile is signed by those it names, and proves nothing to who does not know them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_machine::Refusal;
use tongban_types::{Code, Entry, GroupId, Signed, encode};

use crate::core::Core;
use crate::placing::in_force;
use crate::rests::Rests;
use crate::seams::Platform;
use crate::submit::SubmitError;

/// Groups that are told at once.
const TOLD_AT_ONCE: usize = 8;

/// A group that refuses to be told is told again after this long at first, as its registry may lag; each
/// time it costs it an entry of its log.
const TELL_AGAIN_MIN: Duration = Duration::from_secs(1);

/// And at the latest after this long.
const TELL_AGAIN_MAX: Duration = Duration::from_mins(10);

/// Which groups a leader told of one version; another one tells again, which does no harm.
struct ToldGroups<P: Platform> {
    version: u64,
    groups: BTreeSet<GroupId>,
    refused: BTreeMap<GroupId, Rests<P::Runtime>>,
}

impl<P: Platform> ToldGroups<P> {
    fn of(version: u64) -> Self {
        Self {
            version,
            groups: BTreeSet::new(),
            refused: BTreeMap::new(),
        }
    }

    fn is_due(&self, group: GroupId) -> bool {
        let rests = self.refused.get(&group);
        !self.groups.contains(&group) && rests.is_none_or(Rests::may_try)
    }
}

/// Runs for one hosted group until the node stops.
pub(crate) async fn run_telling<P: Platform>(core: Arc<Core<P>>, group: GroupId) {
    let mut told = ToldGroups::<P>::of(0);
    while !core.is_stopping() {
        if let Some(hosted) = core.group(group)
            && hosted.group.status().leader == Some(core.me)
            && let Some(order) = in_force(&core, group, &hosted)
        {
            let version = order.placement.version;
            if told.version != version {
                told = ToldGroups::of(version);
            }
            tell_groups(&core, group, &order.signed, &mut told).await;
        }
        core.rest(core.tempo().look_every).await;
    }
}

/// Enters the order into the logs of the other groups, which count these voters from then on.
async fn tell_groups<P: Platform>(
    core: &Arc<Core<P>>,
    group: GroupId,
    signed: &Signed,
    told: &mut ToldGroups<P>,
) {
    let registry = core.registry();
    let others = registry.cities().map(|(city, _)| GroupId(city));
    let missing: Vec<GroupId> = others
        .filter(|other| *other != group && told.is_due(*other))
        .collect();
    let entry = Bytes::from(encode(&Entry::Placement(signed.clone())));
    for some in missing.chunks(TOLD_AT_ONCE) {
        let telling = some
            .iter()
            .map(|other| tell_group(core, *other, entry.clone()));
        for (other, heard) in some.iter().zip(join_all(telling).await) {
            match heard {
                Heard::Known => {
                    told.groups.insert(*other);
                }
                Heard::Refused(code) => {
                    tracing::warn!(%group, %other, %code, "a group does not take the placement in");
                    let rests = told.refused.entry(*other).or_insert_with(Rests::none);
                    rests.tried(TELL_AGAIN_MIN, TELL_AGAIN_MAX);
                }
                Heard::Unclear => {}
            }
        }
    }
}

enum Heard {
    Known,
    Refused(Code),
    Unclear,
}

async fn tell_group<P: Platform>(core: &Core<P>, other: GroupId, entry: Bytes) -> Heard {
    let submitted = core.submit(other, entry, core.tempo().propose_timeout);
    let refused = match submitted.await {
        Ok(reply) => match reply.results.into_iter().next() {
            Some(Ok(_)) => return Heard::Known,
            Some(Err(refusal)) => refusal.code(),
            None => return Heard::Unclear,
        },
        Err(SubmitError::Refused(code)) => code,
        Err(_) => return Heard::Unclear,
    };
    // It knows this order, or a later one.
    if refused == Refusal::Superseded.code() {
        Heard::Known
    } else {
        Heard::Refused(refused)
    }
}
