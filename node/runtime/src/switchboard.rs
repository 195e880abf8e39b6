//! Answers what other nodes ask, lane by lane.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tongban_machine::load_case;
use tongban_types::{CaseNumber, Code, NodeId, decode, encode, limits};

use crate::core::Core;
use crate::seams::{Lane, Platform, Service};
use crate::vault::Vault;
use crate::wire::{KeysRequest, WrappedKeys};

/// The node as its peers see it.
pub(crate) struct Switchboard<P: Platform> {
    pub(crate) core: Arc<Core<P>>,
    pub(crate) vault: Arc<Vault<P>>,
}

#[async_trait]
impl<P: Platform> Service for Switchboard<P> {
    async fn call(&self, peer: NodeId, lane: Lane, body: Bytes) -> Result<Bytes, Code> {
        let answered = match lane {
            _ if body.len() > limits::FRAME_BYTES_MAX => Err(Code::TOO_LARGE),
            Lane::RaftAppend | Lane::RaftControl | Lane::RaftSnapshot => {
                self.on_raft(peer, lane, body).await
            }
            Lane::Submit => self.core.on_submit(&body).await,
            Lane::Certify => self.core.on_certify(&body).await,
            Lane::Parcel => self.core.on_parcels(&body).await,
            Lane::Keys => self.on_keys(peer, &body).await,
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
                if cases.len() > limits::BATCH_COMMANDS_MAX {
                    return Err(Code::TOO_LARGE);
                }
                if !cases.iter().all(|case| self.is_party(*case, peer)) {
                    return Err(Code::NOT_A_PARTY_OF_KEY);
                }
                let registry = self.core.registry();
                let wrapped = self
                    .vault
                    .wrap_for(&registry, peer, &cases)
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
        if !theirs || wrapped.keys.len() > limits::BATCH_COMMANDS_MAX {
            return Err(Code::NOT_A_PARTY_OF_KEY);
        }
        self.vault
            .take_in(peer, wrapped)
            .await
            .map_err(|_| Code::NODE_FAILED)?;
        Ok(Bytes::new())
    }

    /// Whether a peer's city is intake city or authority of a case in this city's group.
    fn is_party(&self, case: CaseNumber, peer: NodeId) -> bool {
        let Some(own) = self.core.own() else {
            return false;
        };
        let record = own
            .replica
            .read(|view| load_case(view, case))
            .ok()
            .flatten();
        record.is_some_and(|record| {
            let city = peer.city();
            record.envelope.intake == city || record.envelope.authority == city
        })
    }
}
