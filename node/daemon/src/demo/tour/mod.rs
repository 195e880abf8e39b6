//! The guided tour: the story once more, each act a claim that is checked by doing it. What does not hold is said
//! with its reason and a command to look further; what needs it is then not reached.

mod claim;
mod hosted;
mod ledger;
mod search;
mod steps;
mod two_nodes;

use super::account::Account;
use super::story::Story;
use super::summary::Summary;
use super::words::{self, Line, Values};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Reader;

use claim::Claim;
use ledger::Ledger;

pub(super) use ledger::Step;

/// What a step hands on, and what was seen of it.
type Came<T> = Result<(T, String), Failure>;

/// The tour on its way.
#[derive(Debug)]
pub(super) struct Tour<'a> {
    story: Story<'a>,
    account: &'a Account,
    ledger: Ledger,
    summary: Summary,
}

impl<'a> Tour<'a> {
    /// Begins; nothing runs yet.
    pub(super) fn begin(story: Story<'a>, account: &'a Account) -> Self {
        Self {
            story,
            account,
            ledger: Ledger::default(),
            summary: Summary::default(),
        }
    }

    /// Walks it.
    pub(super) async fn walk(mut self) -> Summary {
        // How far it came stands in the ledger.
        let _: Option<()> = Box::pin(self.go()).await;
        self.summary.steps = self.ledger.close(self.account);
        self.summary.cases = self.story.acknowledged.len();
        self.summary.seconds = self.account.seconds();
        self.summary
    }

    /// The steps in their order; ends at one that others need and that fails.
    async fn go(&mut self) -> Option<()> {
        let came = self.cities_are_up().await;
        self.enter(Claim::CitiesAreUp, came)?;
        let came = self.is_replicated().await;
        let (case, taken_in) = self.enter(Claim::IsReplicated, came)?;
        let came = self.is_routed(&case, taken_in).await;
        self.enter(Claim::IsRouted, came)?;
        let came = self.lines_are_quic().await;
        self.enter(Claim::LinesAreQuic, came);
        let came = self.file_arrives().await;
        self.enter(Claim::FileArrives, came);
        let came = self.leader_is_lost().await;
        let begun = self.enter(Claim::LeaderIsLost, came)?;
        let came = self.second_goes_on(&begun).await;
        self.enter(Claim::SecondGoesOn, came)?;
        let came = self.people_differ(&case).await;
        let has_decided = self.enter(Claim::PeopleDiffer, came).is_some();
        if has_decided {
            self.look_at_the_document(&case).await;
        }
        let came = self.host_knows_nothing(&case).await;
        self.enter(Claim::HostKnowsNothing, came);
        let came = self.all_are_there().await;
        self.enter(Claim::AllAreThere, came);
        let came = self.backup_is_whole().await;
        let source = self.enter(Claim::BackupIsWhole, came)?;
        let came = self.drill_passes(&source).await;
        self.enter(Claim::DrillPasses, came)
    }

    /// What came of the decision.
    async fn look_at_the_document(&mut self, case: &str) -> Option<()> {
        let came = self.result_returns(case).await;
        let document = self.enter(Claim::ResultReturns, came)?;
        let came = self.document_is_valid(&document);
        self.enter(Claim::DocumentIsValid, came);
        let came = self.tampered_is_invalid(&document);
        self.enter(Claim::TamperedIsInvalid, came);
        let came = self.stranger_is_refused(&document);
        self.enter(Claim::StrangerIsRefused, came)
    }

    fn enter<T>(&mut self, claim: Claim, came: Came<T>) -> Option<T> {
        let layout = &self.story.federation.layout;
        self.ledger.enter(self.account, layout, claim, came)
    }

    fn reader(&self) -> Reader {
        self.account.reader()
    }

    /// What was seen, if it is as claimed.
    fn seen<T>(&self, holds: bool, handed_on: T, line: Line, values: Values<'_>) -> Came<T> {
        let seen = line.told(self.reader(), values);
        if holds {
            return Ok((handed_on, seen));
        }
        let message = words::NOT_AS_CLAIMED.told(self.reader(), &[("seen", &seen)]);
        let code = tongban_types::Code::DEMO_CLAIM_BROKEN;
        Err(Failure::new(code, Exit::No, message))
    }
}
