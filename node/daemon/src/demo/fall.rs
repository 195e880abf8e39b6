//! The leader that is lost on the way: the first node of the city that has two, killed while it leads its city's
//! group. The city goes on at its second node, and the document issued there stays the only one.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use tongban_types::NodeId;

use super::proof::signer_of;
use super::story::{REVIEWER, Story, document_at, seconds};
use super::words;
use crate::failure::Failure;
use crate::staging::wait_until_leading;

/// What `kill -9` sends (signal(7)).
const SIGKILL: i32 = 9;

/// The leader that was lost, and who followed it.
#[derive(Debug)]
pub(super) struct Fall {
    /// Where the group is led from now.
    pub(super) next: usize,
    /// From the kill until another leader was seen.
    pub(super) leaderless: Duration,
    /// Whether it was that blow that ended it.
    pub(super) was_killed: bool,
}

/// What became of a document that was issued while the first node was down.
#[derive(Debug)]
pub(super) struct WentOn {
    /// Whose key the document names; nobody's where the registry does not know the key.
    pub(super) signer: Option<NodeId>,
    /// Different documents among what the city's two nodes and the receiving city have. Issuing draws salts, so
    /// that a document issued twice would be two.
    pub(super) documents: usize,
    /// Whether the second node issued it, and nobody issued it again.
    pub(super) holds: bool,
}

impl Story<'_> {
    /// Kills the first node of the deciding city while it leads the city's group, and goes on collecting. It is down
    /// when this returns.
    pub(super) async fn lose_a_leader(&mut self) -> Result<Fall, Failure> {
        let (group, victim) = (self.authority, self.authority);
        // Whichever of its voters was elected first: the story wants the hardest loss there is for this city.
        self.federation.lead_at(group, victim).await?;
        let ended = self.federation.kill(victim).await?;
        let since = Instant::now();
        let (name, group_name) = (self.node_name(victim), self.name(group));
        self.account
            .tell(words::KILLED, &[("victim", &name), ("group", &group_name)]);
        self.collect_more(words::COLLECTED_WHILE_DOWN, Some(victim))
            .await?;
        let next = wait_until_leading(self.federation, group, Some(victim)).await?;
        let leaderless = since.elapsed();
        self.account.tell(
            words::LED_AGAIN,
            &[
                ("group", &group_name),
                ("leader", &self.node_name(next)),
                ("seconds", &seconds(leaderless)),
            ],
        );
        Ok(Fall {
            next,
            leaderless,
            was_killed: ended.signal() == Some(SIGKILL),
        })
    }

    /// Opens a case at the second node that was reviewed at the first: its form, which only a holder of the case's
    /// key can open, and who reviewed it.
    pub(super) async fn open_at_the_second(&mut self, case: &str) -> Result<(), Failure> {
        let second = self.federation.site(self.second).node;
        let what = format!("{case} -> {second}");
        let path = format!("/api/v1/cases/{case}");
        let opened = self.decider.until(&what, &path, |answer| {
            let shown = answer.json();
            let is_reviewed = shown["case"]["review"]["by"]["person"] == REVIEWER;
            (is_reviewed && shown["form"].is_object()).then_some(())
        });
        opened.await?;
        let values: words::Values<'_> = &[("second", &second), ("reviewer", &REVIEWER)];
        self.account.tell(words::OPENED_AT_THE_SECOND, values);
        Ok(())
    }

    /// Starts the first node again, and compares the document that came back to the receiving city with what each of
    /// the two nodes has of it.
    pub(super) async fn bring_back(
        &mut self,
        case: &str,
        returned: &[u8],
    ) -> Result<WentOn, Failure> {
        let at_second = document_at(&mut self.decider, case).await?;
        self.federation.restart(self.authority).await?;
        let victim = self.node_name(self.authority);
        self.account.tell(words::RESTARTED, &[("victim", &victim)]);
        let at_first = document_at(&mut self.reviewer, case).await?;
        let documents = BTreeSet::from([returned, &at_second[..], &at_first[..]]).len();
        let signer = signer_of(&self.federation.layout, &at_second)?;
        let second = self.federation.site(self.second).node;
        let holds = signer == Some(second) && documents == 1;
        let told = if holds {
            words::ISSUED_ONCE
        } else {
            words::NOT_ISSUED_ONCE
        };
        self.account.tell(told, &[("second", &second)]);
        Ok(WentOn {
            signer,
            documents,
            holds,
        })
    }
}
