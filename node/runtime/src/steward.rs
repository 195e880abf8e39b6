//! What a city owes the world, done on its own nodes: its catalogue and calendar in its log, case keys
//! kept and asked for, documents prepared and signed under a lease.

mod documents;
mod keys;

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use tongban_machine::{ground, item_terms};
use tongban_types::{Actor, Command, CommandBody, CommandId, RequestTag};

use crate::core::Core;
use crate::handle::NodeError;
use crate::proposer::{Done, Order, Proposer};
use crate::seams::{Entropy, Platform};
use crate::vault::Vault;

use documents::Owed;
use keys::KeysLooked;

/// Effects carried out, and keys asked for, in one round; the next round goes on.
const ROUND_MAX: usize = 64;

/// Carries out the effects of this node's city.
pub(crate) struct Steward<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    proposer: Arc<Proposer<P>>,
    keys_looked: Mutex<KeysLooked>,
    owed: Mutex<Owed>,
}

impl<P: Platform> Steward<P> {
    pub(crate) fn new(
        core: Arc<Core<P>>,
        vault: Arc<Vault<P>>,
        proposer: Arc<Proposer<P>>,
    ) -> Self {
        Self {
            core,
            vault,
            proposer,
            keys_looked: Mutex::default(),
            owed: Mutex::default(),
        }
    }

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

    /// Keeps the keys of cases until the node stops: beside everything else, which must not wait for
    /// holders that do not answer.
    pub(crate) async fn run_keys(self: Arc<Self>) {
        while !self.core.is_stopping() {
            let Some(own) = self.core.own() else {
                self.core.rest(self.core.pause(0)).await;
                continue;
            };
            let mut applied = own.replica.changed().listen();
            applied.mark();
            self.keep_keys().await;
            applied.heard(self.core.tempo().look_every).await;
        }
    }

    /// One round; whether nothing that could be done now is left.
    async fn round(&self) -> bool {
        let catalogue = self.fill_catalogue().await;
        let effects = self.carry_out_effects().await;
        catalogue && effects
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
}
