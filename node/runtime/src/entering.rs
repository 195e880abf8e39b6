//! Parcels on their way into a group's log through the leader here. Whoever has no answer in time sends again;
//! as long as what was appended before may still come to be applied, it is waited for and not appended
//! again, or a group that is slow would be made slower by everybody who waits for it.

use std::collections::BTreeMap;
use std::ops::Add;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use openraft_rt::AsyncRuntime;
use tongban_machine::{EntryReply, ParcelFate, Refusal, Reply, answer_given, is_awaited};
use tongban_types::{CertifiedParcels, Entry, GroupId, Hash, PlacedParcel, decode, encode};

use crate::core::{Core, Hosted, Until, instant};
use crate::ports::ProposeError;
use crate::seams::Platform;

/// How long an entry with an unclear end is waited for under one term: several times what a group that is
/// overloaded takes, and short beside the life of a packet.
const WAITED_FOR: Duration = Duration::from_secs(20);

/// Parcels remembered a group: some deliveries of every city. Beyond it the others are entered again, which
/// does no harm.
const ENTERING_MAX: usize = 16 * 1_024;

/// What is on its way, by group and hash of the parcel. `I` is the runtime's instant.
pub(crate) struct Entering<I>(BTreeMap<GroupId, BTreeMap<Hash, OnItsWay<I>>>);

struct OnItsWay<I> {
    /// Another leader may have cut it off its log.
    term: u64,
    since: I,
}

impl<I: Copy + Ord + Add<Duration, Output = I>> OnItsWay<I> {
    fn is_on_its_way(&self, term: u64, now: I) -> bool {
        self.term == term && now < self.since + WAITED_FOR
    }
}

impl<I> Default for Entering<I> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I: Copy + Ord + Add<Duration, Output = I>> Entering<I> {
    /// Whether a parcel is to be appended now, and is noted as on its way; else it is on its way already.
    pub(crate) fn begin(&mut self, to: GroupId, (term, now): (u64, I), parcel: Hash) -> bool {
        let of_group = self.0.entry(to).or_default();
        if of_group.len() >= ENTERING_MAX {
            of_group.retain(|_, entry| entry.is_on_its_way(term, now));
        }
        if of_group
            .get(&parcel)
            .is_some_and(|entry| entry.is_on_its_way(term, now))
        {
            return false;
        }
        if of_group.len() < ENTERING_MAX {
            let since = now;
            of_group.insert(parcel, OnItsWay { term, since });
        }
        true
    }

    /// What became of these is known.
    pub(crate) fn end(&mut self, to: GroupId, parcels: &[Hash]) {
        if let Some(of_group) = self.0.get_mut(&to) {
            for parcel in parcels {
                of_group.remove(parcel);
            }
        }
    }
}

type Fate = Result<Reply, Refusal>;

impl<P: Platform> Core<P> {
    /// Proposes parcels of one certificate here, where this node leads: of them what is neither applied nor
    /// on its way. The reply tells the fate of all. `entry` is the same as it is encoded.
    pub(crate) async fn propose_parcels(
        &self,
        hosted: &Hosted<P>,
        entry: Bytes,
        mut certified: CertifiedParcels,
        timeout: Duration,
    ) -> Result<Bytes, ProposeError> {
        let until = Until::<P::Runtime>::after(timeout);
        let status = hosted.group.status();
        if status.leader != Some(self.me) {
            return hosted.group.propose(entry, timeout).await;
        }
        let group = hosted.group.id();
        let parcels = certified.parcels.clone();
        let hashes: Vec<Hash> = parcels.iter().map(PlacedParcel::hash).collect();
        let mut fates: Vec<Option<Fate>> = vec![None; parcels.len()];
        fill_known(hosted, &parcels, &mut fates);
        let fresh = {
            let at = (status.term, instant::<P::Runtime>());
            let mut entering = self.entering();
            let mut is_fresh = |place: &usize| {
                fates[*place].is_none() && entering.begin(group, at, hashes[*place])
            };
            let places = 0..parcels.len();
            places.filter(|place| is_fresh(place)).collect::<Vec<_>>()
        };
        if !fresh.is_empty() {
            let entry = if fresh.len() == parcels.len() {
                entry
            } else {
                certified.parcels = fresh.iter().map(|at| parcels[*at].clone()).collect();
                Bytes::from(encode(&Entry::Parcels(certified)))
            };
            let proposed = hosted.group.propose(entry, timeout).await;
            let is_unclear = [ProposeError::TimedOut, ProposeError::Stopped]
                .iter()
                .any(|unclear| proposed.as_ref().err() == Some(unclear));
            if !is_unclear {
                let ended: Vec<Hash> = fresh.iter().map(|at| hashes[*at]).collect();
                self.entering().end(group, &ended);
            }
            let reply: EntryReply = decode(&proposed?).map_err(|_| ProposeError::TimedOut)?;
            for (turn, at) in fresh.iter().enumerate() {
                // An entry that is refused as a whole has one result.
                fates[*at] = reply.results.get(turn).or(reply.results.first()).cloned();
            }
        }
        let mut applied = hosted.replica.changed().listen();
        loop {
            applied.mark();
            fill_known(hosted, &parcels, &mut fates);
            if let Some(results) = fates.iter().cloned().collect() {
                return Ok(Bytes::from(encode(&EntryReply { results })));
            }
            let left = until.left().ok_or(ProposeError::TimedOut)?;
            applied.heard(left.min(self.tempo().look_every)).await;
        }
    }

    fn entering(&self) -> MutexGuard<'_, Entering<<P::Runtime as AsyncRuntime>::Instant>> {
        // Every change under the lock is whole before anything can panic.
        self.entering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What this replica shows of parcels whose fate is not known yet.
fn fill_known<P: Platform>(
    hosted: &Hosted<P>,
    parcels: &[PlacedParcel],
    fates: &mut [Option<Fate>],
) {
    let read = hosted.replica.read(|view| {
        for (parcel, fate) in parcels.iter().zip(fates) {
            if fate.is_some() {
                continue;
            }
            let known = match answer_given(view, parcel) {
                Some(answer) => Some(ParcelFate::AnsweredBefore { answer }),
                None if !is_awaited(view, parcel) => Some(ParcelFate::SettledBefore),
                None => None,
            };
            *fate = known.map(|fate| Ok(Reply::Parcel(fate)));
        }
    });
    if let Err(error) = read {
        // The group itself finds what it knows.
        tracing::debug!(%error, "this replica cannot be read");
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, sha256};

    use super::*;

    #[test]
    fn what_is_on_its_way_is_appended_again_only_under_another_term_or_once_its_end_is_known() {
        let group = |number| GroupId(CityCode::new(number).unwrap());
        let (weinan, putian) = (group(610_500), group(350_300));
        let (begin, later) = (Duration::ZERO, WAITED_FOR);
        let [one, two] = [b"1", b"2"].map(|bytes| sha256(bytes));
        let mut entering = Entering::<Duration>::default();
        assert!(entering.begin(weinan, (3, begin), one));
        assert!(!entering.begin(weinan, (3, begin), one));
        assert!(entering.begin(weinan, (3, begin), two));
        assert!(entering.begin(putian, (3, begin), one), "another group");
        entering.end(weinan, &[one]);
        assert!(entering.begin(weinan, (3, begin), one), "its end was known");
        assert!(!entering.begin(weinan, (3, begin), two));
        assert!(entering.begin(weinan, (4, begin), two), "another term");
        assert!(
            entering.begin(weinan, (4, later), two),
            "nobody waits for ever"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded_and_makes_room_for_what_is_new() {
        let group = GroupId(CityCode::new(610_500).unwrap());
        let mut entering = Entering::<Duration>::default();
        for number in 0..=ENTERING_MAX {
            let parcel = sha256(&number.to_be_bytes());
            assert!(entering.begin(group, (1, Duration::ZERO), parcel));
        }
        assert_eq!(entering.0[&group].len(), ENTERING_MAX);
        let parcel = sha256(b"later");
        assert!(entering.begin(group, (1, WAITED_FOR), parcel));
        assert!(!entering.begin(group, (1, WAITED_FOR), parcel));
    }
}
