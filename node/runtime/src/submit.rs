//! Getting an entry into a group's log, wherever its leader is, and asking a leader how far its group
//! is. Entries prove themselves and repeat harmlessly, so an unclear end is simply tried again.

use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tongban_machine::{CheckedEntry, EntryReply, Refusal, is_about_places, is_of_parcels};
use tongban_types::{Code, Entry, GroupId, NodeId, decode, encode};

use openraft_rt::AsyncRuntime;

use crate::core::{Core, Hosted, Until};
use crate::ports::ProposeError;
use crate::seams::{Lane, Platform, Transport, TransportError};
use crate::wire::{SubmitAnswer, SubmitRequest};

/// Why an entry is not known to be applied.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum SubmitError {
    /// No leader could be found in time; nothing was proposed.
    #[error("no leader of the group could be found in time")]
    NoLeader,
    /// It may still be applied.
    #[error("the group did not answer in time")]
    TimedOut,
    /// The leader refused to append it.
    #[error("the leader refused it: {0}")]
    Refused(Code),
}

/// What a leader is asked.
enum Ask {
    Propose(Bytes),
    ReadIndex,
}

impl Ask {
    /// As it is put to a leader elsewhere.
    fn request(&self, group: GroupId) -> Bytes {
        let request = match self {
            Self::Propose(entry) => SubmitRequest::Propose {
                group,
                entry: entry.to_vec(),
            },
            Self::ReadIndex => SubmitRequest::ReadIndex { group },
        };
        Bytes::from(encode(&request))
    }
}

enum Tried {
    Answer(SubmitAnswer),
    Elsewhere(Option<NodeId>),
    Unclear,
    Refused(Code),
}

impl<P: Platform> Core<P> {
    /// Proposes an entry here: an order of placement so that no change of members is made beside it, parcels
    /// so that none is appended twice.
    async fn propose(
        &self,
        hosted: &Hosted<P>,
        entry: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, ProposeError> {
        // Told from the tag, for it is asked of every entry.
        if is_about_places(&entry) && matches!(decode(&entry), Ok(Entry::Placement(_))) {
            return hosted.group.propose_order(entry, timeout).await;
        }
        if is_of_parcels(&entry)
            && let Ok(Entry::Parcels(parcels)) = decode(&entry)
        {
            return self.propose_parcels(hosted, entry, parcels, timeout).await;
        }
        hosted.group.propose(entry, timeout).await
    }

    /// Submits an entry and returns the reply of its application.
    pub(crate) async fn submit(
        &self,
        group: GroupId,
        entry: Bytes,
        timeout: Duration,
    ) -> Result<EntryReply, SubmitError> {
        match self.ask_leader(group, Ask::Propose(entry), timeout).await? {
            SubmitAnswer::Applied(reply) => decode(&reply).map_err(|_| SubmitError::TimedOut),
            _ => Err(SubmitError::TimedOut),
        }
    }

    /// An index that holds everything the group acknowledged before this call.
    pub(crate) async fn read_index(
        &self,
        group: GroupId,
        timeout: Duration,
    ) -> Result<u64, SubmitError> {
        match self.ask_leader(group, Ask::ReadIndex, timeout).await? {
            SubmitAnswer::Index(index) => Ok(index),
            _ => Err(SubmitError::TimedOut),
        }
    }

    async fn ask_leader(
        &self,
        group: GroupId,
        ask: Ask,
        timeout: Duration,
    ) -> Result<SubmitAnswer, SubmitError> {
        let until = Until::<P::Runtime>::after(timeout);
        let mut hint: Option<NodeId> = None;
        let mut proposed = false;
        let mut attempt = 0;
        // Encoded when a leader elsewhere is first asked, and once.
        let mut request: Option<Bytes> = None;
        while let Some(left) = until.left() {
            let target = hint.take().or_else(|| self.likely_leader(group, attempt));
            let turn = left.min(self.tempo().propose_timeout);
            let tried = match target {
                Some(node) if node == self.me => self.ask_here(group, &ask, turn).await,
                Some(node) => {
                    let body = request.get_or_insert_with(|| ask.request(group)).clone();
                    self.ask_there(node, body, turn).await
                }
                None => Tried::Elsewhere(None),
            };
            match tried {
                Tried::Answer(answer) => return Ok(answer),
                // What was tried before may still be carried out.
                Tried::Refused(_) if proposed => return Err(SubmitError::TimedOut),
                Tried::Refused(code) => return Err(SubmitError::Refused(code)),
                Tried::Elsewhere(leader) => hint = leader.filter(|leader| Some(*leader) != target),
                Tried::Unclear => proposed = true,
            }
            if hint.is_none() {
                let pause = self.pause(attempt);
                P::Runtime::sleep(pause.min(until.left().unwrap_or_default())).await;
            }
            attempt += 1;
        }
        Err(if proposed {
            SubmitError::TimedOut
        } else {
            SubmitError::NoLeader
        })
    }

    /// The leader as far as this node knows; else the group's voters, one after the other.
    fn likely_leader(&self, group: GroupId, attempt: u32) -> Option<NodeId> {
        if let Some(hosted) = self.group(group)
            && let Some(leader) = hosted.group.status().leader
            && attempt.is_multiple_of(2)
        {
            return Some(leader);
        }
        let voters = self.voters_to_ask(group);
        let turn = usize::try_from(attempt).unwrap_or(0);
        voters.get(turn % voters.len().max(1)).copied()
    }

    async fn ask_here(&self, group: GroupId, ask: &Ask, turn: Duration) -> Tried {
        let Some(hosted) = self.group(group) else {
            return Tried::Elsewhere(None);
        };
        let answered = match ask {
            Ask::Propose(entry) => self
                .propose(&hosted, entry.clone(), turn)
                .await
                .map(|reply| SubmitAnswer::Applied(reply.to_vec())),
            Ask::ReadIndex => hosted.group.read_index(turn).await.map(SubmitAnswer::Index),
        };
        match answered {
            Ok(answer) => Tried::Answer(answer),
            Err(ProposeError::NotLeader { leader }) => Tried::Elsewhere(leader),
            Err(error @ ProposeError::TooLarge { .. }) => {
                tracing::error!(%group, %error, "made too large here");
                Tried::Refused(Code::TOO_LARGE)
            }
            // A group that stops ends also what it had appended and sent already.
            Err(ProposeError::TimedOut | ProposeError::Stopped) => Tried::Unclear,
        }
    }

    async fn ask_there(&self, node: NodeId, body: Bytes, turn: Duration) -> Tried {
        match self.transport.request(node, Lane::Submit, body, turn).await {
            Ok(bytes) => match decode(&bytes) {
                Ok(SubmitAnswer::NotLeader(leader)) => Tried::Elsewhere(leader),
                Ok(SubmitAnswer::TimedOut | SubmitAnswer::Stopped) | Err(_) => Tried::Unclear,
                Ok(answer) => Tried::Answer(answer),
            },
            Err(TransportError::TimedOut { .. } | TransportError::Unclear { .. }) => Tried::Unclear,
            Err(TransportError::Refused { code, .. })
                if ![Code::NOT_HOSTED, Code::PEER_OVER_QUOTA].contains(&code) =>
            {
                Tried::Refused(code)
            }
            Err(_) => Tried::Elsewhere(None),
        }
    }

    /// Answers another node that takes us for the leader.
    pub(crate) async fn on_submit(&self, peer: NodeId, body: &[u8]) -> Result<Bytes, Code> {
        let timeout = self.tempo().propose_timeout;
        let request: SubmitRequest = decode(body).map_err(|error| error.code())?;
        let (group, answered) = match request {
            SubmitRequest::Propose { group, entry } => {
                let hosted = self.group(group).ok_or(Code::NOT_HOSTED)?;
                self.check_before_append(group, &entry).await?;
                let applied = self.propose(&hosted, Bytes::from(entry), timeout).await;
                (
                    group,
                    applied.map(|reply| SubmitAnswer::Applied(reply.to_vec())),
                )
            }
            SubmitRequest::Standing { group } => {
                let answer = self.on_standing(group).await?;
                return Ok(Bytes::from(encode(&answer)));
            }
            SubmitRequest::MayLead { group } => {
                self.on_may_lead(group)?;
                return Ok(Bytes::from(encode(&SubmitAnswer::Noted)));
            }
            SubmitRequest::Placed {
                group,
                order,
                naming,
            } => {
                self.on_placed(peer, group, &order, naming.as_deref())
                    .await?;
                return Ok(Bytes::from(encode(&SubmitAnswer::Noted)));
            }
            SubmitRequest::ReadIndex { group } => {
                let hosted = self.group(group).ok_or(Code::NOT_HOSTED)?;
                (
                    group,
                    hosted
                        .group
                        .read_index(timeout)
                        .await
                        .map(SubmitAnswer::Index),
                )
            }
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%group, %error, "not proposed here");
                match error {
                    ProposeError::NotLeader { leader } => SubmitAnswer::NotLeader(leader),
                    ProposeError::TooLarge { .. } => return Err(Code::TOO_LARGE),
                    ProposeError::TimedOut => SubmitAnswer::TimedOut,
                    ProposeError::Stopped => SubmitAnswer::Stopped,
                }
            }
        };
        Ok(Bytes::from(encode(&answer)))
    }

    /// What another node wants appended must prove itself, by form, signer or certificate: a false
    /// one costs the sender a refusal, not the group a log entry. Who does not lead leaves the signers to
    /// who does, and a leader that would refuse makes sure first that it has applied the registry by
    /// which it judges.
    pub(crate) async fn check_before_append(
        &self,
        group: GroupId,
        entry: &[u8],
    ) -> Result<(), Code> {
        let hosted = self.group(group).ok_or(Code::NOT_HOSTED)?;
        let checked = CheckedEntry::check(group, entry.to_vec());
        if let Some(refusal) = checked.refusal() {
            return Err(refusal.code());
        }
        if hosted.group.status().leader != Some(self.me) {
            return Ok(());
        }
        if foreseen(&hosted, &checked)?.is_none() {
            return Ok(());
        }
        let timeout = self.tempo().propose_timeout;
        let Ok(index) = hosted.group.read_index(timeout).await else {
            // It leads no longer: whoever does judges.
            return Ok(());
        };
        if hosted.group.wait_applied(index, timeout).await.is_err() {
            return Err(Code::NO_QUORUM);
        }
        foreseen(&hosted, &checked)?.map_or(Ok(()), |refusal| Err(refusal.code()))
    }
}

/// Why an entry will be refused, by what this replica shows.
fn foreseen<P: Platform>(
    hosted: &Hosted<P>,
    checked: &CheckedEntry,
) -> Result<Option<Refusal>, Code> {
    let machine = hosted.replica.machine();
    let judged = hosted
        .replica
        .read(|view| machine.foresee_refusal(view, checked));
    judged.map_err(|_| Code::NODE_FAILED)
}
