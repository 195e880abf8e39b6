//! Takes in what other groups' couriers bring: enters it into the group it is for, and gives the certified
//! answers back.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_machine::{ParcelFate, Refusal, Reply};
use tongban_types::{Code, Entry, decode, encode, limits};

use crate::core::Core;
use crate::seams::{Lane, Platform};
use crate::submit::SubmitError;
use crate::wire::{ParcelAnswers, ParcelDelivery};

impl<P: Platform> Core<P> {
    /// Takes in parcels for a hosted group, and answers with certified answers.
    pub(crate) async fn on_parcels(&self, body: &[u8]) -> Result<Bytes, Code> {
        let delivery: ParcelDelivery = decode(body).map_err(|error| error.code())?;
        if delivery.pieces.len() > limits::DELIVERY_PIECES_MAX {
            return Err(Code::TOO_LARGE);
        }
        let hosted = self.group(delivery.to).ok_or(Code::NOT_HOSTED)?;
        if hosted.group.status().stopped {
            // What is entered elsewhere never shows here: another voter must answer.
            return Err(Code::GROUP_STOPPED);
        }
        let positions = self.enter_parcels(delivery).await?;
        // The answers may have been committed elsewhere: they can be placed once they are here.
        let timeout = self.tempo().propose_timeout;
        let group = hosted.group.id();
        if let Ok(index) = self.read_index(group, timeout).await
            && let Err(error) = hosted.group.wait_applied(index, timeout).await
        {
            tracing::debug!(%group, %error, "the answers are not here yet");
        }
        let certified = self.certify(group, &positions).await;
        if certified.is_err() && !positions.is_empty() {
            // An empty answer would keep the sender from asking another voter.
            return Err(Code::NO_QUORUM);
        }
        let pieces = certified.map_or_else(|_| Vec::new(), |answers| answers.pieces);
        Ok(Bytes::from(encode(&ParcelAnswers { pieces })))
    }

    /// Enters the pieces that prove themselves; where their answers stand in the outbox. If none is
    /// taken in now or later, why the first was not.
    async fn enter_parcels(&self, delivery: ParcelDelivery) -> Result<Vec<u64>, Code> {
        let to = delivery.to;
        // In their order and awaited together, so that they share the group's rounds. Packets of one
        // case that come to stand out of order are refused and repeated by their sender.
        let entered = delivery.pieces.into_iter().map(async |piece| {
            let entry = Bytes::from(encode(&Entry::Parcels(piece)));
            self.check_before_append(to, &entry).await?;
            let submitted = self.submit(to, entry, self.tempo().propose_timeout).await;
            submitted.map_err(|error| match error {
                SubmitError::Refused(code) => code,
                SubmitError::NoLeader | SubmitError::TimedOut => Code::NO_QUORUM,
            })
        });
        let mut positions = BTreeSet::new();
        let mut first_refused = None;
        let mut may_be_taken_in = false;
        for entered in join_all(entered).await {
            let results = match entered {
                Ok(reply) => reply.results,
                Err(code) => {
                    first_refused.get_or_insert(code);
                    continue;
                }
            };
            for result in results {
                match result {
                    Ok(Reply::Parcel(
                        ParcelFate::Answered { answer } | ParcelFate::AnsweredBefore { answer },
                    )) => {
                        may_be_taken_in = true;
                        positions.insert(answer);
                    }
                    Ok(_) => may_be_taken_in = true,
                    Err(refusal) => {
                        self.refusals.count(Lane::Parcel, refusal.code());
                        // What comes in its turn later is no fault of the sender's.
                        if refusal.is_passing() || matches!(refusal, Refusal::OutOfOrder { .. }) {
                            may_be_taken_in = true;
                        }
                        first_refused.get_or_insert(refusal.code());
                        tracing::debug!(group = %to, %refusal, "a parcel is not taken in");
                    }
                }
            }
        }
        match first_refused {
            Some(code) if !may_be_taken_in => Err(code),
            _ => Ok(positions.into_iter().collect()),
        }
    }
}
