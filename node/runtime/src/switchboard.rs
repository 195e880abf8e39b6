//! Answers what other nodes ask, lane by lane.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tongban_machine::{CaseRecord, form_of, load_case};
use tongban_types::{CaseNumber, CityCode, Code, NodeId, Sealed, decode, encode, limits};

use crate::attachments::Files;
use crate::core::Core;
use crate::seams::{Lane, Platform, Service};
use crate::vault::{Vault, is_key_of};
use crate::wire::{KeysRequest, WrappedKeys};

/// The node as its peers see it.
pub(crate) struct Switchboard<P: Platform> {
    pub(crate) core: Arc<Core<P>>,
    pub(crate) vault: Arc<Vault<P>>,
    pub(crate) files: Arc<Files<P>>,
}

#[async_trait]
impl<P: Platform> Service for Switchboard<P> {
    async fn call(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
        let answered = match lane {
            _ if body.len() > limits::FRAME_BYTES_MAX => Err(Code::TOO_LARGE),
            Lane::RaftAppend | Lane::RaftControl | Lane::RaftSnapshot => {
                self.on_raft(peer, lane, body).await
            }
            Lane::Submit => self.core.on_submit(peer, &body).await,
            Lane::Certify => self.core.on_certify(peer, &body).await,
            Lane::Parcel => self.core.on_parcel_lane(peer, &body).await,
            Lane::Keys => self.on_keys(peer, &body).await,
            Lane::File => self.files.on_request(peer, &body).await,
        };
        if let Err(code) = &answered {
            self.core.refusals.count(lane, *code);
            tracing::debug!(%peer, ?lane, %code, "a peer's request is refused");
        }
        answered
    }
}

impl<P: Platform> Switchboard<P> {
    /// A Raft request names its group; whether the peer may speak in it is the group's to say.
    async fn on_raft(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
        let group = (self.core.route_raft)(&body).ok_or(Code::MALFORMED_RECORD)?;
        let hosted = self.core.group(group).ok_or(Code::NOT_HOSTED)?;
        hosted.group.handle(peer, lane, body).await
    }

    async fn on_keys(&self, peer: NodeId, body: &[u8]) -> Result<Bytes, Code> {
        let request: KeysRequest = decode(body).map_err(|error| error.code())?;
        match request {
            KeysRequest::Ask(cases) => {
                if cases.len() > limits::DELIVERY_PARCELS_MAX {
                    return Err(Code::TOO_LARGE);
                }
                // One case of another's must not keep back the others.
                let theirs: Vec<CaseNumber> = cases
                    .iter()
                    .copied()
                    .filter(|case| self.is_party(*case, peer))
                    .collect();
                if theirs.is_empty() && !cases.is_empty() {
                    return Err(Code::NOT_A_PARTY_OF_KEY);
                }
                let registry = self.core.registry();
                let wrapped = self
                    .vault
                    .wrap_for(&registry, peer, &theirs)
                    .ok_or(Code::NO_CASE_KEY)?;
                Ok(Bytes::from(encode(&wrapped)))
            }
            KeysRequest::Give(wrapped) => self.on_keys_given(peer, &wrapped).await,
        }
    }

    async fn on_keys_given(&self, peer: NodeId, wrapped: &WrappedKeys) -> Result<Bytes, Code> {
        // Only the city that collected a case makes its key.
        let theirs = wrapped
            .keys
            .iter()
            .all(|(case, _, _)| case.intake_city() == peer.city());
        if !theirs || wrapped.keys.len() > limits::DELIVERY_PARCELS_MAX {
            return Err(Code::NOT_A_PARTY_OF_KEY);
        }
        let keys = self.vault.unwrap(peer, wrapped).ok_or(Code::SEAL_BROKEN)?;
        let mut proven = Vec::new();
        let mut is_any_good = keys.is_empty();
        for (case, key) in keys {
            match self.form_of(case) {
                Some(form) if is_key_of(&key, case, &form) => {
                    is_any_good = true;
                    proven.push((case, key));
                }
                Some(_) => tracing::debug!(%peer, %case, "a key that does not open its case"),
                None => {
                    is_any_good = true;
                    self.vault.hold_gift(case, key);
                }
            }
        }
        if !is_any_good {
            return Err(Code::SEAL_BROKEN);
        }
        self.vault
            .take_in(proven)
            .await
            .map_err(|_| Code::NODE_FAILED)?;
        Ok(Bytes::new())
    }

    fn form_of(&self, case: CaseNumber) -> Option<Sealed> {
        let own = self.core.own()?;
        own.replica.read(|view| form_of(view, case)).ok().flatten()
    }

    /// Whether a peer may have the key of a case in this city's group.
    fn is_party(&self, case: CaseNumber, peer: NodeId) -> bool {
        let Some(own) = self.core.own() else {
            return false;
        };
        let record = own
            .replica
            .read(|view| load_case(view, case))
            .ok()
            .flatten();
        record.is_some_and(|record| may_have_key(&record, self.core.city(), peer.city()))
    }
}

/// Only a city that is a party has the key of a case, and the authority only once it was handed over
/// to it: until then the applicant may still take it elsewhere. What this city may have, all its
/// nodes may.
pub(crate) fn may_have_key(record: &CaseRecord, own: CityCode, city: CityCode) -> bool {
    let envelope = &record.envelope;
    let is_handed_over = record.transfers > 0;
    city == own || envelope.intake == city || (envelope.authority == city && is_handed_over)
}

#[cfg(test)]
mod tests {
    use tongban_machine::{DocumentStage, Standpoint};
    use tongban_types::{
        Actor, CaseEnvelope, CaseState, CaseVersion, Channel, CivilDay, Division, HandlingMode,
        Hash, ItemCode, ItemVersion, Timestamp,
    };

    use super::*;

    fn city(number: u32) -> CityCode {
        CityCode::new(number).unwrap()
    }

    fn collected() -> CaseRecord {
        let (intake, day) = (city(350_100), CivilDay::from_ymd(2026, 3, 2).unwrap());
        CaseRecord {
            envelope: CaseEnvelope {
                number: CaseNumber::new(intake, day, 1, 1).unwrap(),
                item: ItemVersion {
                    code: ItemCode::new("000109900001").unwrap(),
                    version: 1,
                },
                item_file: Hash([3; 32]),
                mode: HandlingMode::CollectedElsewhere,
                intake,
                authority: city(610_500),
                authority_division: Division::new(610_502).unwrap(),
                subject: Hash([1; 32]),
                channel: Channel::Window,
                collected_at: day.first_ms(),
                collected_by: Actor::system(intake),
                form: Hash([2; 32]),
            },
            form: Hash([2; 32]),
            standpoint: Standpoint::Owner,
            state: CaseState::Collected,
            version: CaseVersion(1),
            since: day.first_ms(),
            transfers: 0,
            transfer_refused: None,
            received_at: None,
            noticed_at: None,
            notice_from: Timestamp::default(),
            in_log_at: Timestamp::default(),
            notice_due: None,
            accepted: None,
            review: None,
            decision: None,
            promise_due: None,
            statutory_due: None,
            document: DocumentStage::None,
            pending: None,
            request_refused: None,
        }
    }

    #[test]
    fn the_authority_has_the_key_of_a_case_only_once_it_was_handed_over() {
        let (fuzhou, weinan, dingxi) = (city(350_100), city(610_500), city(621_100));
        let mut record = collected();
        let may = |record: &CaseRecord, city| may_have_key(record, fuzhou, city);
        assert!(may(&record, fuzhou) && !may(&record, weinan) && !may(&record, dingxi));
        record.transfers = 1;
        assert!(may(&record, weinan) && !may(&record, dingxi));
    }

    #[test]
    fn all_nodes_of_a_party_may_have_its_keys_and_the_intake_city_gets_its_own_back() {
        let (fuzhou, weinan) = (city(350_100), city(610_500));
        let at_authority = collected();
        let may = |city| may_have_key(&at_authority, weinan, city);
        assert!(may(weinan) && may(fuzhou) && !may(city(621_100)));
    }
}
