//! What the API, the console and the command line see of a running node: questions and orders in the
//! words of the domain. They know nothing of groups, logs or peers beyond what is shown here.

mod act;
mod application;
mod case;
mod error;
mod report;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tongban_machine::{DocumentList, Movement};
use tongban_trust::Registry;
use tongban_types::{Actor, CaseNumber, CaseState, CaseVersion, CityCode, CommandId, NodeId};

pub use act::{Act, Acted};
pub use application::{Application, Collected, Wait};
pub use case::{CasePage, OpenedCase, OpenedMovement, StoredCase};
pub use error::{NodeError, Oversized};
pub use report::{GroupReport, NodeHealth, NodeReport};

use crate::attachments::Attachments;
use crate::feed::{ChangePlace, Changes};
use crate::groups::Groups;

/// A running node.
#[async_trait]
pub trait NodeHandle: Send + Sync + 'static {
    /// Which node.
    fn node(&self) -> NodeId;

    /// Its city.
    fn city(&self) -> CityCode {
        self.node().city()
    }

    /// Takes an application in. The same `id` gives the same case.
    async fn collect(
        &self,
        actor: Actor,
        id: CommandId,
        application: Application,
        wait: Wait,
    ) -> Result<Collected, NodeError>;

    /// Acts on a case at the version the actor saw. The same `id` gives the same reply; once it is
    /// given, [`NodeHandle::case`] shows the act. Of the time that an answer may take, `waited` is gone
    /// already, with [`NodeHandle::case_to_correct`]; where all of it is before the act was submitted, nothing
    /// was done.
    async fn act(
        &self,
        actor: Actor,
        id: CommandId,
        case: CaseNumber,
        expected: CaseVersion,
        act: Act,
        waited: Duration,
    ) -> Result<Acted, NodeError>;

    /// Uploads, and files of cases.
    fn attachments(&self) -> &dyn Attachments;

    /// The groups it keeps replicas of.
    fn groups(&self) -> &dyn Groups;

    /// A case with its history, opened where this node holds the key.
    fn case(&self, number: CaseNumber) -> Result<OpenedCase, NodeError>;

    /// The same for whoever is to correct it: that there is no such case is said only once this node has
    /// caught up with its group, and a case whose form does not open here is refused, for nothing tells
    /// which files it has.
    async fn case_to_correct(&self, number: CaseNumber) -> Result<OpenedCase, NodeError>;

    /// Cases of this city's group, in order of their numbers.
    fn cases(
        &self,
        state: Option<CaseState>,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, NodeError>;

    /// Cases of this city's group that have a document or are to get one, in order of their numbers.
    fn cases_with_document(
        &self,
        list: Option<DocumentList>,
        from: Option<CaseNumber>,
        limit: usize,
    ) -> Result<CasePage, NodeError>;

    /// The steps of a case behind a version, each with the version it led to, oldest first.
    fn steps_behind(
        &self,
        number: CaseNumber,
        version: CaseVersion,
        limit: usize,
    ) -> Result<Vec<(CaseVersion, Movement)>, NodeError>;

    /// Where this city's group is now: what changes from here on is behind this place.
    fn place(&self) -> Result<ChangePlace, NodeError>;

    /// What changed in this city's group behind a place, in the order of its log, at most `limit`.
    fn changes(&self, after: ChangePlace, limit: usize) -> Result<Changes, NodeError>;

    /// Returns when something of this city's group may have changed since the call, or after
    /// `patience`.
    async fn until_changed(&self, behind: ChangePlace, patience: Duration);

    /// Cases this desk took in and its group does not have yet, behind a number, in order.
    fn stored_cases(&self, after: Option<CaseNumber>, limit: usize) -> Vec<StoredCase>;

    /// Returns once this node shows everything acknowledged by its city's group before the call.
    async fn catch_up(&self) -> Result<(), NodeError>;

    /// The registry in force here.
    fn registry(&self) -> Option<Arc<Registry>>;

    /// The registry file in force here, as it was signed.
    fn registry_file(&self) -> Option<Vec<u8>>;

    /// The node at a glance.
    fn report(&self) -> NodeReport;

    /// Whether it goes on, without looking through anything.
    fn health(&self) -> NodeHealth;

    /// Takes the node out of service for maintenance, or back into it; a restart brings it back too. While
    /// it is drained it takes no new case, hands the leads it has away and takes none.
    fn set_draining(&self, draining: bool);

    /// Peers with a live connection.
    fn connected(&self) -> Vec<NodeId>;

    /// Returns once the node cannot go on, with why.
    async fn until_failed(&self) -> String;
}
