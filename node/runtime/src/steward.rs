//! What a city owes the world, done on its own nodes under a lease: its catalogue and calendar in its
//! log, case keys asked for, documents prepared and signed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_machine::{
    CaseRecord, DocumentStage, Effect, Reply, effects, form_of, ground, item_terms, load_case,
    numbers_in_state, signing_input_of,
};
use tongban_types::{
    Actor, CaseNumber, CaseState, Command, CommandBody, CommandId, IssueDocument, NodeId, OnCase,
    PrepareDocument, RequestTag, SealedUse, encode, sha256,
};

use crate::core::Core;
use crate::desk::SALT_BYTES;
use crate::document;
use crate::handle::NodeError;
use crate::proposer::{Done, Order, Proposer};
use crate::seams::{Entropy, Lane, Platform, Transport};
use crate::vault::Vault;
use crate::wire::{KeysRequest, WrappedKeys};

/// Effects carried out in one round; the next round goes on.
const ROUND_MAX: usize = 64;

/// Cases looked at in one state for a missing key.
const KEYS_LOOK_MAX: usize = 1_024;

/// Carries out the effects of this node's city.
pub(crate) struct Steward<P: Platform> {
    pub(crate) core: Arc<Core<P>>,
    pub(crate) vault: Arc<Vault<P>>,
    pub(crate) proposer: Arc<Proposer<P>>,
    pub(crate) keys_looked: Mutex<KeysLooked>,
}

/// How far open cases were looked through for a missing key: a piece at a time, round after round.
#[derive(Default)]
pub(crate) struct KeysLooked {
    cursor: BTreeMap<CaseState, CaseNumber>,
    last: Option<i64>,
    cases: u64,
}

impl<P: Platform> Steward<P> {
    /// Runs until the node stops.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut attempt = 0;
        while !self.core.is_stopping() {
            let Some(own) = self.core.own() else {
                self.core.rest(self.core.pause(attempt)).await;
                continue;
            };
            let mut applied = own.replica.changed().listen();
            applied.mark();
            let all_done = self.round().await;
            if all_done {
                attempt = 0;
                applied.heard(self.core.tempo().look_every).await;
            } else {
                attempt += 1;
                self.core.rest(self.core.pause(attempt)).await;
            }
        }
    }

    /// One round; whether nothing that could be done now is left.
    async fn round(&self) -> bool {
        let catalogue = self.fill_catalogue().await;
        // Keys come beside their packets: asking is for those that did not.
        let keys = !self.is_time_to_look() || self.ask_for_keys().await;
        let effects = self.carry_out_effects().await;
        catalogue && keys && effects
    }

    async fn order(&self, name: &str, body: CommandBody) -> Result<Done, NodeError> {
        let command = Command {
            group: tongban_types::GroupId(self.core.city()),
            // Drawn anew each time: what matters is the state it finds, not that it is said once.
            id: CommandId::derive(name.as_bytes(), &self.core.entropy.array::<16>()),
            at: self.core.now(),
            actor: Actor::system(self.core.city()),
            request: RequestTag::default(),
            body,
        };
        self.proposer
            .submit(Order {
                command,
                receipt: None,
            })
            .await
    }

    /// Calendar and items of this city, as far as its log does not have them.
    async fn fill_catalogue(&self) -> bool {
        let Some(own) = self.core.own() else {
            return false;
        };
        let settings = &self.core.settings;
        let Ok((here, missing)) = own.replica.read(|view| {
            let missing: Vec<_> = settings
                .items
                .iter()
                .filter(|terms| item_terms(view, terms.item).is_none())
                .cloned()
                .collect();
            (ground(view), missing)
        }) else {
            return false;
        };
        if here.registry == 0 {
            return false;
        }
        let mut all_done = true;
        if here.calendar < settings.calendar.version() {
            let body = CommandBody::InstallCalendar(settings.calendar.clone());
            all_done &= self.told("calendar", self.order("calendar", body).await);
        }
        // Together, so that the catalogue is there in one entry or not at all.
        let installed = missing
            .into_iter()
            .map(|terms| self.order("item", CommandBody::InstallItem(terms)));
        for outcome in join_all(installed).await {
            all_done &= self.told("item", outcome);
        }
        all_done
    }

    fn told(&self, what: &str, outcome: Result<Done, NodeError>) -> bool {
        match outcome {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(city = %self.core.city(), what, %error, "not done yet");
                false
            }
        }
    }

    /// Keys of cases that came from another city.
    async fn ask_for_keys(&self) -> bool {
        let missing = self.cases_without_key();
        let mut by_city: BTreeMap<_, Vec<CaseNumber>> = BTreeMap::new();
        for case in missing {
            by_city.entry(case.intake_city()).or_default().push(case);
        }
        let registry = self.core.registry();
        let mut all_here = true;
        for (city, cases) in by_city {
            let holders: Vec<NodeId> = registry
                .nodes()
                .map(|(id, _)| id)
                .filter(|id| id.city() == city)
                .collect();
            let mut here = false;
            for holder in holders.into_iter().filter(|holder| *holder != self.core.me) {
                if self.ask_one(holder, &cases).await {
                    here = true;
                    break;
                }
            }
            all_here &= here;
        }
        all_here
    }

    /// New cases are looked at soon, all of them now and then.
    fn is_time_to_look(&self) -> bool {
        let now = self.core.now().unix_ms();
        let group = tongban_types::GroupId(self.core.city());
        let cases = self.core.ground(group).map_or(0, |ground| ground.cases);
        let every = i64::try_from(self.core.tempo().look_every.as_millis()).unwrap_or(i64::MAX);
        let mut looked = self
            .keys_looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let every = if cases == looked.cases {
            every
        } else {
            every / 10
        };
        // A clock set back must not stop the looking.
        let is_time = looked
            .last
            .is_none_or(|last| !(0..every).contains(&(now - last)));
        if is_time {
            looked.last = Some(now);
            looked.cases = cases;
        }
        is_time
    }

    /// Open cases of this city that its vault has no key of.
    fn cases_without_key(&self) -> Vec<CaseNumber> {
        let Some(own) = self.core.own() else {
            return Vec::new();
        };
        let mut looked = self
            .keys_looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        for state in [
            CaseState::Received,
            CaseState::Corrected,
            CaseState::Accepted,
        ] {
            let from = looked.cursor.remove(&state);
            let piece = own
                .replica
                .read(|view| numbers_in_state(view, state, from, KEYS_LOOK_MAX));
            let piece = piece.unwrap_or_default();
            if piece.len() == KEYS_LOOK_MAX
                && let Some(last) = piece.last()
            {
                looked.cursor.insert(state, *last);
            }
            missing.extend(
                piece
                    .into_iter()
                    .filter(|case| case.intake_city() != self.core.city())
                    .filter(|case| self.vault.key(*case).is_none()),
            );
        }
        missing.truncate(ROUND_MAX);
        missing
    }

    async fn ask_one(&self, holder: NodeId, cases: &[CaseNumber]) -> bool {
        let body = Bytes::from(encode(&KeysRequest::Ask(cases.to_vec())));
        let ttl = self.core.tempo().certify_timeout;
        let Ok(bytes) = self
            .core
            .transport
            .request(holder, Lane::Keys, body, ttl)
            .await
        else {
            return false;
        };
        let Ok(wrapped) = tongban_types::decode::<WrappedKeys>(&bytes) else {
            return false;
        };
        match self.vault.take_in(holder, &wrapped).await {
            Ok(taken) => {
                tracing::debug!(from = %holder, taken, "case keys taken in");
                cases.iter().all(|case| self.vault.key(*case).is_some())
            }
            Err(error) => {
                tracing::error!(%error, "case keys cannot be kept");
                false
            }
        }
    }

    async fn carry_out_effects(&self) -> bool {
        let Some(own) = self.core.own() else {
            return false;
        };
        let owed = own
            .replica
            .read(|view| effects(view, None, ROUND_MAX).collect::<Vec<_>>());
        let Ok(owed) = owed else { return false };
        if owed.is_empty() {
            return true;
        }
        let Some(lease) = self.hold_lease().await else {
            return false;
        };
        let mut all_done = true;
        for effect in owed {
            let outcome = match effect {
                Effect::PrepareDocument(case) => self.prepare_document(case, lease).await,
                Effect::IssueDocument(case) => self.issue_document(case, lease).await,
            };
            match outcome {
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(?effect, %error, "an effect waits");
                    all_done = false;
                }
            }
        }
        // A prepared document is to be issued in the next round at once.
        all_done
            && own
                .replica
                .read(|view| effects(view, None, 1).next().is_none())
                .unwrap_or(false)
    }

    async fn hold_lease(&self) -> Option<u64> {
        let body = CommandBody::TakeLease(self.core.me);
        match self.order("lease", body).await.ok()?.reply {
            Reply::Lease { number, .. } => Some(number),
            _ => None,
        }
    }

    fn own_case(&self, case: CaseNumber) -> Result<CaseRecord, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let record = own.replica.read(|view| load_case(view, case));
        record
            .map_err(|error| NodeError::Failed(error.to_string()))?
            .ok_or(NodeError::NoSuchCase(case))
    }

    /// Commits the exact signing input first: signing again after a crash gives the same document.
    async fn prepare_document(&self, case: CaseNumber, lease: u64) -> Result<(), NodeError> {
        let record = self.own_case(case)?;
        let key = self.vault.key(case).ok_or(NodeError::NoKey(case))?;
        let form = self.open_form(case)?;
        let input = document::prepare(&self.core, &record, &form)
            .map_err(|error| NodeError::Failed(format!("the document of {case}: {error}")))?;
        let text = input.text();
        let body = CommandBody::PrepareDocument(PrepareDocument {
            on: OnCase {
                case,
                expected: record.version,
            },
            lease,
            signing_input: self
                .vault
                .seal(&key, SealedUse::SigningInput, case, text.as_bytes()),
            input_hash: sha256(text.as_bytes()),
        });
        self.order("prepare-document", body).await.map(|_| ())
    }

    async fn issue_document(&self, case: CaseNumber, lease: u64) -> Result<(), NodeError> {
        let record = self.own_case(case)?;
        let DocumentStage::Prepared { input } = record.document else {
            return Ok(());
        };
        let key = self.vault.key(case).ok_or(NodeError::NoKey(case))?;
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let sealed = own
            .replica
            .read(|view| signing_input_of(view, case))
            .map_err(|error| NodeError::Failed(error.to_string()))?;
        let text = sealed
            .and_then(|sealed| self.vault.open_sealed(case, &sealed))
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| sha256(text.as_bytes()) == input)
            .ok_or(NodeError::NoKey(case))?;
        let document = document::sign(&self.core, &text)
            .map_err(|error| NodeError::Failed(format!("the document of {case}: {error}")))?;
        let body = CommandBody::IssueDocument(IssueDocument {
            on: OnCase {
                case,
                expected: record.version,
            },
            lease,
            input_hash: input,
            document_hash: sha256(document.as_bytes()),
            document: self
                .vault
                .seal(&key, SealedUse::Document, case, document.as_bytes()),
        });
        self.order("issue-document", body).await.map(|_| ())
    }

    fn open_form(&self, case: CaseNumber) -> Result<Vec<u8>, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let sealed = own
            .replica
            .read(|view| form_of(view, case))
            .map_err(|error| NodeError::Failed(error.to_string()))?;
        let salted = sealed
            .and_then(|sealed| self.vault.open_sealed(case, &sealed))
            .ok_or(NodeError::NoKey(case))?;
        Ok(salted.get(SALT_BYTES..).unwrap_or_default().to_vec())
    }
}
