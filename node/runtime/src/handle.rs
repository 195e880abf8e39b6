//! What the API, the console and the command line see of a running node: questions and orders in the
//! words of the domain. They know nothing of groups, logs or peers beyond what is shown here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use tongban_machine::{CaseRecord, DocumentList, Movement, Refusal};
use tongban_trust::Registry;
use tongban_types::{
    Actor, Attachment, CaseNumber, CaseState, CaseVersion, Channel, CityCode, Code, CommandId,
    Decision, Division, GroupId, HandlingMode, Hash, ItemVersion, NodeId, Receipt, Timestamp,
};

use crate::attachments::Attachments;
use crate::blob_store::BlobError;
use crate::feed::{ChangePlace, Changes};
use crate::groups::Groups;
use crate::ports::{GroupStatus, HandOverError, StateFailed};
use crate::seams::Lane;

/// An application whose form was checked against its item's schema.
#[derive(Clone)]
pub struct Application {
    /// The item.
    pub item: ItemVersion,
    /// SHA-256 of the item's file the form was checked against.
    pub item_file: Hash,
    /// Its handling mode.
    pub mode: HandlingMode,
    /// The division the form names for the authority.
    pub authority_division: Division,
    /// The applicant's identity number; only its keyed pseudonym leaves the node.
    pub subject: String,
    /// The filled form, JSON text.
    pub form: Vec<u8>,
    /// The files handed in with it, each uploaded before.
    pub attachments: Vec<Attachment>,
    /// How it came.
    pub channel: Channel,
    /// The package is complete: hand it over to the authority at once.
    pub hand_over: bool,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Application({}, {} bytes)", self.item, self.form.len())
    }
}

/// How safe an answer must be before it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Durable at this node.
    Stored,
    /// Committed by the group; falls back to `Stored` when the group does not answer in time.
    Replicated,
}

/// An application taken in.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Its number.
    pub case: CaseNumber,
    /// The receipt; says itself how safe it is.
    pub receipt: Receipt,
    /// The same request was answered before.
    pub repeated: bool,
}

/// What a person does to a case.
#[derive(Clone)]
pub enum Act {
    /// 转送.
    Transfer,
    /// 一次性告知, with everything that must be corrected.
    AskCorrection {
        /// The notice.
        notice: String,
    },
    /// 补正, with the corrected form, checked against its schema.
    Correct {
        /// JSON text.
        form: Vec<u8>,
        /// The files of the case from now on; those it has when left out.
        attachments: Option<Vec<Attachment>>,
    },
    /// 受理.
    Accept,
    /// 不予受理.
    RefuseToAccept {
        /// Why.
        reason: String,
    },
    /// 审.
    Review {
        /// What is recommended.
        recommend: Decision,
        /// Why.
        opinion: String,
    },
    /// 核.
    Decide {
        /// What is decided.
        decision: Decision,
        /// Why; required to refuse.
        reason: Option<String>,
    },
    /// 送达.
    Deliver,
    /// 撤回.
    Withdraw {
        /// Why.
        reason: String,
    },
}

impl Act {
    /// Its name in addresses and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::AskCorrection { .. } => "ask-correction",
            Self::Correct { .. } => "correct",
            Self::Accept => "accept",
            Self::RefuseToAccept { .. } => "refuse-to-accept",
            Self::Review { .. } => "review",
            Self::Decide { .. } => "decide",
            Self::Deliver => "deliver",
            Self::Withdraw { .. } => "withdraw",
        }
    }
}

impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its words may be about a person.
        f.write_str(self.name())
    }
}

/// How a case stands after an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// The case.
    pub case: CaseNumber,
    /// Its version in this city's group.
    pub version: CaseVersion,
    /// Its state in this city's group.
    pub state: CaseState,
    /// The same request was answered before.
    pub repeated: bool,
}

/// One step of a case with its words opened, where this node holds the key.
#[derive(Clone)]
pub struct OpenedMovement {
    /// The step.
    pub movement: Movement,
    /// Its words.
    pub words: Option<String>,
}

impl std::fmt::Debug for OpenedMovement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedMovement({:?})", self.movement.state)
    }
}

/// A case as its party's node shows it.
#[derive(Clone)]
pub struct OpenedCase {
    /// The record in this city's group; `None` while it is stored only at this desk.
    pub record: Option<CaseRecord>,
    /// What the desk says of it while it is stored only there.
    pub stored: Option<StoredCase>,
    /// Its number.
    pub number: CaseNumber,
    /// Its steps, oldest first.
    pub history: Vec<OpenedMovement>,
    /// The form, JSON text, where this node holds the key.
    pub form: Option<Vec<u8>>,
    /// The files handed in, where this node holds the key.
    pub attachments: Vec<Attachment>,
    /// The document in compact form, once issued.
    pub document: Option<String>,
    /// The receipt this node gave, if it collected the case.
    pub receipt: Option<Receipt>,
}

impl std::fmt::Debug for OpenedCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedCase({})", self.number)
    }
}

/// A case that this desk took in and its group does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCase {
    /// Its number.
    pub number: CaseNumber,
    /// Its item.
    pub item: ItemVersion,
    /// The city whose decision it is.
    pub authority: CityCode,
    /// How it came.
    pub channel: Channel,
    /// When it was handed in.
    pub collected_at: Timestamp,
    /// Who took it in.
    pub collected_by: Actor,
    /// The group refused it for this when it was tried last; it is tried again.
    pub refused: Option<Code>,
}

/// A piece of a list of cases.
#[derive(Clone, Debug)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseRecord>,
    /// Where to go on.
    pub next: Option<CaseNumber>,
}

/// One group this node keeps a replica of.
#[derive(Clone, Debug)]
pub struct GroupReport {
    /// The group.
    pub group: GroupId,
    /// What is known of it here.
    pub status: GroupStatus,
    /// Group time.
    pub time: Timestamp,
    /// Cases in it.
    pub cases: u64,
    /// Packets not answered yet.
    pub unanswered: usize,
    /// Commands and parcels refused since start, by code.
    pub refused: BTreeMap<Code, u64>,
    /// Proofs of equivocation kept.
    pub evidence: u64,
    /// Voters in touch: as the leader hears from them, or elsewhere as this node is connected to
    /// them, itself included while its replica runs.
    pub in_touch: usize,
    /// The group can decide, as far as is known here: this replica leads and hears from a majority,
    /// or it runs and is connected to the leader.
    pub has_quorum: bool,
    /// Voters that may still be lost before the group stops taking decisions; 0 without a quorum.
    pub can_lose: usize,
    /// This replica stopped because no majority of the voters holds its state.
    pub diverged: bool,
}

/// A node at a glance.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// Which node.
    pub node: NodeId,
    /// Its groups, its own city's first.
    pub groups: Vec<GroupReport>,
    /// Peers with a live connection.
    pub connected: Vec<NodeId>,
    /// Applications stored at this desk and not yet replicated.
    pub desk_waiting: usize,
    /// Those of them that the group refused when they were tried last: a person should look.
    pub desk_refused: usize,
    /// Case keys held.
    pub case_keys: usize,
    /// Version of the registry in force; 0 before the first.
    pub registry: u64,
    /// What was refused to peers since start, by lane and code.
    pub refused_to_peers: BTreeMap<(Lane, Code), u64>,
    /// Deliveries of parcels handed on for fellow voters since start.
    pub relayed: u64,
    /// It is being drained: it takes no new case and no lead.
    pub draining: bool,
    /// The node cannot go on: its log, its store, a group or one of its tasks failed.
    pub failed: bool,
}

/// What supervisors and load balancers ask for often: looked up, never counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own"
)]
pub struct NodeHealth {
    /// The node cannot go on.
    pub failed: bool,
    /// Version of the registry in force, once it knows its federation.
    pub registry: Option<u64>,
    /// It is being drained.
    pub draining: bool,
    /// Its own city's group runs here.
    pub runs_own_group: bool,
    /// That group can decide, as far as is known here.
    pub has_quorum: bool,
    /// What that group holds is being filled from a snapshot, and nothing of it can be read.
    pub is_filling: bool,
}

/// Why a node does not do what it is asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NodeError {
    /// The machine refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No city of the federation answers for that division.
    #[error("no member of the federation answers for {division}")]
    AuthorityOutside {
        /// The division, with its name if it is known.
        division: String,
    },
    /// There is no such case here.
    #[error("there is no case {0} here")]
    NoSuchCase(CaseNumber),
    /// The group did not answer in time; the act may still be carried out.
    #[error("the group did not answer in time")]
    TimedOut,
    /// The group has no majority or no leader now; nothing was done.
    #[error("the group cannot decide now")]
    NoQuorum,
    /// This node does not hold the key of the case yet.
    #[error("this node does not hold the key of case {0} yet")]
    NoKey(CaseNumber),
    /// More waits than the node takes on.
    #[error("the node is busy")]
    Busy,
    /// The same request is being answered right now.
    #[error("the same request is under way")]
    UnderWay,
    /// The node's log or store failed.
    #[error("the node has failed: {0}")]
    Failed(String),
    /// Larger than allowed.
    #[error("{what} is larger than {bytes_max} bytes")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The bound.
        bytes_max: usize,
    },
    /// A file cannot be taken or given.
    #[error(transparent)]
    File(#[from] BlobError),
    /// No node that has the file answers.
    #[error("no node that holds the file answers")]
    FileUnreachable,
    /// Whoever leads the group refused to take it into the log.
    #[error("whoever leads the group refused it: {0}")]
    RefusedThere(Code),
    /// It is being drained and takes no new case.
    #[error("the node is being drained and takes no new case")]
    Draining,
    /// This node keeps no replica of the group.
    #[error("this node keeps no replica of group {0}")]
    NotHosted(GroupId),
    /// The lead of a group stays where it is.
    #[error(transparent)]
    HandOver(#[from] HandOverError),
    /// The day's case numbers of this node are used up.
    #[error("this node has given out all case numbers of the day")]
    NumbersUsedUp,
}

impl From<StateFailed> for NodeError {
    fn from(failed: StateFailed) -> Self {
        match failed {
            // It passes by itself, as a leader that is not there yet.
            StateFailed::Filling => Self::NoQuorum,
            StateFailed::Broken { reason } | StateFailed::Rejected { reason } => {
                Self::Failed(reason)
            }
        }
    }
}

impl NodeError {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::AuthorityOutside { .. } => Code::AUTHORITY_OUTSIDE,
            Self::NoSuchCase(_) => Code::NO_SUCH_CASE,
            Self::TimedOut => Code::GROUP_TIMED_OUT,
            Self::NoQuorum => Code::NO_QUORUM,
            Self::NoKey(_) => Code::NO_CASE_KEY,
            Self::Busy => Code::NODE_BUSY,
            Self::UnderWay => Code::REQUEST_UNDER_WAY,
            Self::Failed(_) => Code::NODE_FAILED,
            Self::TooLarge { .. } => Code::TOO_LARGE,
            Self::File(error) => error.code(),
            Self::FileUnreachable => Code::BLOB_UNREACHABLE,
            Self::RefusedThere(code) => *code,
            Self::Draining => Code::NODE_DRAINING,
            Self::NotHosted(_) => Code::NOT_HOSTED,
            Self::HandOver(error) => error.code(),
            Self::NumbersUsedUp => Code::NUMBERS_USED_UP,
        }
    }
}

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
    /// given, [`NodeHandle::case`] shows the act.
    async fn act(
        &self,
        actor: Actor,
        id: CommandId,
        case: CaseNumber,
        expected: CaseVersion,
        act: Act,
    ) -> Result<Acted, NodeError>;

    /// Uploads, and files of cases.
    fn attachments(&self) -> &dyn Attachments;

    /// The groups it keeps replicas of.
    fn groups(&self) -> &dyn Groups;

    /// A case with its history, opened where this node holds the key.
    fn case(&self, number: CaseNumber) -> Result<OpenedCase, NodeError>;

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
