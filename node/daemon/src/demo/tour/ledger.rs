//! What became of each claim, for people as it happens and for scripts at the end.

use serde::Serialize;
use utoipa::ToSchema;

use super::claim::Claim;
use crate::demo::account::Account;
use crate::failure::Failure;
use crate::output::{Mark, Reader};
use crate::staging::Layout;

/// A claim, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::demo) struct Step {
    claim: &'static str,
    outcome: Outcome,
    /// Since the beginning, when it was known.
    seconds: f64,
    /// What was seen, or why it failed; nothing where it was not reached.
    seen: Option<String>,
    /// Of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The command to look further.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Pass,
    Fail,
    /// A step before it that it needs has failed.
    NotReached,
}

/// All claims so far.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<(Claim, Step)>);

impl Step {
    /// Whether it was as claimed.
    pub(in crate::demo) fn has_passed(&self) -> bool {
        self.outcome == Outcome::Pass
    }
}

impl Outcome {
    /// The same in both languages, to be looked for.
    const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::NotReached => "SKIP",
        }
    }

    const fn mark(self) -> Mark {
        match self {
            Self::Pass => Mark::Good,
            Self::Fail => Mark::Bad,
            Self::NotReached => Mark::Warning,
        }
    }
}

impl Ledger {
    /// Enters what came of a claim and says so; hands on what others need of it.
    pub(super) fn enter<T>(
        &mut self,
        account: &Account,
        layout: &Layout,
        claim: Claim,
        came_of_it: Result<(T, String), Failure>,
    ) -> Option<T> {
        let reader = account.reader();
        let (outcome, seen, failure, handed_on) = match came_of_it {
            Ok((handed_on, seen)) => (Outcome::Pass, seen, None, Some(handed_on)),
            Err(failure) => (Outcome::Fail, reason(&failure, reader), Some(failure), None),
        };
        say(account, outcome, claim);
        account.note_below(&seen);
        let next = failure
            .is_some()
            .then(|| claim.look_further(layout, reader));
        if let Some((failure, next)) = failure.as_ref().zip(next.as_ref()) {
            let entry = failure.code.entry();
            let what = entry.map_or("", |entry| reader.say(entry.zh, entry.en));
            account.note_below(&format!("{}: {what}", failure.code));
            // Whole, so that it can be copied.
            account.show(&reader.next(next));
        }
        let step = Step {
            claim: claim.name(),
            outcome,
            seconds: account.seconds(),
            seen: Some(seen),
            code: failure.map(|failure| failure.code.to_string()),
            next,
        };
        self.0.push((claim, step));
        handed_on
    }

    /// Every claim in the order of the tour, those that were not reached among them.
    pub(super) fn close(self, account: &Account) -> Vec<Step> {
        let mut known = self.0;
        for claim in Claim::ALL {
            if known.iter().all(|(entered, _)| *entered != claim) {
                say(account, Outcome::NotReached, claim);
                let step = Step {
                    claim: claim.name(),
                    outcome: Outcome::NotReached,
                    seconds: account.seconds(),
                    seen: None,
                    code: None,
                    next: None,
                };
                known.push((claim, step));
            }
        }
        known.into_iter().map(|(_, step)| step).collect()
    }
}

fn say(account: &Account, outcome: Outcome, claim: Claim) {
    let reader = account.reader();
    let word = reader.paint(outcome.mark(), outcome.word());
    account.note_marked(&word, &claim.line().told(reader, &[]));
}

/// Outermost first.
fn reason(failure: &Failure, reader: Reader) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in failure.causes() {
        let cause = reader.say(cause.zh, cause.en);
        // An error that is its source in other words says so once.
        if said.last() != Some(&cause) {
            said.push(cause);
        }
    }
    said.join(": ")
}
