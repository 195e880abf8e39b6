//! Keys of the open cases of this city: each of its nodes holds them. They come beside their packets;
//! those that did not are asked of this city's other nodes, then of the case's other party.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_machine::{form_of, load_case, numbers_in_state};
use tongban_types::{
    CaseNumber, CaseState, CityCode, GroupId, KeyRole, NodeId, decode, encode, limits,
};

use super::{ROUND_MAX, Steward};
use crate::sealing::CaseKey;
use crate::seams::{Lane, Platform, Transport};
use crate::vault::is_key_of;
use crate::wire::{KeysRequest, WrappedKeys};

/// Cases looked at in one state for a missing key.
const LOOK_MAX: usize = 1_024;

/// States in which a party may still have to read or write something sealed.
const OPEN: [CaseState; 8] = [
    CaseState::Collected,
    CaseState::InTransit,
    CaseState::Received,
    CaseState::CorrectionAsked,
    CaseState::Corrected,
    CaseState::Accepted,
    CaseState::InReview,
    CaseState::Granted,
];

/// How far open cases were looked through for a missing key: a piece at a time, round after round.
#[derive(Default)]
pub(super) struct KeysLooked {
    cursor: BTreeMap<CaseState, CaseNumber>,
    last: Option<i64>,
    last_whole: Option<i64>,
    cases: u64,
    /// Behind it the next asking begins, so that keys nobody gives do not keep others waiting.
    asked: Option<CaseNumber>,
}

impl<P: Platform> Steward<P> {
    /// Keeps gifts whose case has come and asks for keys that are missing.
    pub(super) async fn keep_keys(&self) {
        let states = self.states_to_look_at();
        let missing = self.cases_without_key(states);
        let missing = self.keep_gifts(missing).await;
        self.ask_for_keys(self.next_to_ask(missing)).await;
    }

    /// Cases just received are looked at soon, all open ones now and then.
    fn states_to_look_at(&self) -> &'static [CaseState] {
        let now = self.core.now().unix_ms();
        let cases = self.core.ground(GroupId(self.core.city()));
        let cases = cases.map_or(0, |ground| ground.cases);
        let every = i64::try_from(self.core.tempo().look_every.as_millis()).unwrap_or(i64::MAX);
        let mut looked = self
            .keys_looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A clock set back must not stop the looking.
        let is_over =
            |last: Option<i64>, time| last.is_none_or(|last| !(0..time).contains(&(now - last)));
        let is_whole = is_over(looked.last_whole, every);
        if !is_whole && (cases == looked.cases || !is_over(looked.last, every / 10)) {
            return &[];
        }
        looked.last = Some(now);
        looked.cases = cases;
        if is_whole {
            looked.last_whole = Some(now);
            return &OPEN;
        }
        &[CaseState::Received]
    }

    /// Open cases of this city that its vault does not keep the key of.
    fn cases_without_key(&self, states: &[CaseState]) -> BTreeSet<CaseNumber> {
        let Some(own) = self.core.own() else {
            return BTreeSet::new();
        };
        let mut looked = self
            .keys_looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut missing = BTreeSet::new();
        for state in states {
            let from = looked.cursor.remove(state);
            let piece = own
                .replica
                .read(|view| numbers_in_state(view, *state, from, LOOK_MAX));
            let piece = piece.unwrap_or_default();
            if piece.len() == LOOK_MAX
                && let Some(last) = piece.last()
            {
                looked.cursor.insert(*state, *last);
            }
            missing.extend(piece.into_iter().filter(|case| !self.vault.keeps(*case)));
        }
        missing
    }

    /// Keeps the gifts that open their cases; what is still missing.
    async fn keep_gifts(&self, missing: BTreeSet<CaseNumber>) -> BTreeSet<CaseNumber> {
        let given = missing
            .iter()
            .filter_map(|case| Some((*case, self.vault.gift(*case)?)))
            .collect();
        self.keep_proven(given).await;
        missing
            .into_iter()
            .filter(|case| !self.vault.keeps(*case))
            .collect()
    }

    /// Keeps keys that open the form of their case, and lets the others go.
    async fn keep_proven(&self, keys: Vec<(CaseNumber, CaseKey)>) {
        if keys.is_empty() {
            return;
        }
        let Some(own) = self.core.own() else {
            return;
        };
        let (proven, false_ones): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(case, key)| {
            let form = own.replica.read(|view| form_of(view, *case));
            form.ok()
                .flatten()
                .is_some_and(|form| is_key_of(key, *case, &form))
        });
        for (case, _) in false_ones {
            tracing::debug!(%case, "a key that does not open its case");
            self.vault.forget_gift(case);
        }
        match self.vault.take_in(proven).await {
            // Documents may have waited for them.
            Ok(taken) if taken > 0 => own.replica.changed().ring(),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "case keys cannot be kept"),
        }
    }

    /// At most a round's worth, behind those asked for last.
    fn next_to_ask(&self, missing: BTreeSet<CaseNumber>) -> Vec<CaseNumber> {
        let mut looked = self
            .keys_looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (before, behind): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|case| looked.asked.is_some_and(|asked| *case <= asked));
        let next: Vec<_> = behind.into_iter().chain(before).take(ROUND_MAX).collect();
        if !next.is_empty() {
            looked.asked = next.last().copied();
        }
        next
    }

    async fn ask_for_keys(&self, missing: Vec<CaseNumber>) {
        let mut by_city: BTreeMap<CityCode, Vec<CaseNumber>> = BTreeMap::new();
        for case in missing {
            if let Some(other) = self.other_party(case) {
                by_city.entry(other).or_default().push(case);
            }
        }
        // Cities beside one another: one out of reach keeps the keys of none waiting.
        let asked = by_city.into_iter().map(async |(city, mut cases)| {
            for holder in self.holders(city) {
                self.ask_one(holder, &cases).await;
                cases.retain(|case| !self.vault.keeps(*case));
                if cases.is_empty() {
                    break;
                }
            }
        });
        join_all(asked).await;
    }

    /// The other city that holds the key of a case; this city, where it is the only party.
    fn other_party(&self, case: CaseNumber) -> Option<CityCode> {
        let own = self.core.own()?;
        let record = own.replica.read(|view| load_case(view, case)).ok()??;
        let envelope = record.envelope;
        Some(if envelope.intake == self.core.city() {
            envelope.authority
        } else {
            envelope.intake
        })
    }

    /// This city's other nodes, then the other city's.
    fn holders(&self, city: CityCode) -> Vec<NodeId> {
        let registry = self.core.registry();
        let works = |id: &NodeId| registry.key_of(KeyRole::Transport, *id).is_some();
        let mut holders: Vec<NodeId> = registry
            .nodes()
            .map(|(id, _)| id)
            .filter(|id| *id != self.core.me && works(id))
            .filter(|id| id.city() == city || id.city() == self.core.city())
            .collect();
        holders.sort_by_key(|id| id.city() != self.core.city());
        holders
    }

    /// Keeps what one node gives of what it was asked for, and nothing else.
    async fn ask_one(&self, holder: NodeId, cases: &[CaseNumber]) {
        let body = Bytes::from(encode(&KeysRequest::Ask(cases.to_vec())));
        let ttl = self.core.tempo().certify_timeout;
        let asked = self.core.transport.request(holder, Lane::Keys, body, ttl);
        let Ok(bytes) = asked.await else {
            return;
        };
        let Ok(wrapped) = decode::<WrappedKeys>(&bytes) else {
            return;
        };
        if wrapped.keys.len() > limits::DELIVERY_PARCELS_MAX {
            return;
        }
        let Some(keys) = self.vault.unwrap(holder, &wrapped) else {
            tracing::debug!(from = %holder, "case keys given do not open");
            return;
        };
        let asked_for = keys
            .into_iter()
            .filter(|(case, _)| cases.contains(case))
            .collect();
        self.keep_proven(asked_for).await;
    }
}
