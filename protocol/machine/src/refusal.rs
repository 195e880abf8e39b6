//! Why the machine does not do what it is told. A refusal changes nothing. Tags are permanent.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tongban_types::{CaseState, CaseVersion, Code, GroupId, Role, Timestamp};

/// A typed refusal.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The entry or command does not decode, or breaks a bound.
    #[error("the record is malformed or larger than allowed")]
    Malformed,
    /// A signature is false.
    #[error("the signature does not verify")]
    BadSignature,
    /// The key is not one that may say this in this group.
    #[error("the signing key has no right to this here")]
    KeyWithoutRight,
    /// The command is for another group.
    #[error("the command is for group {0}")]
    OtherGroup(GroupId),
    /// The actor is of another city than the group.
    #[error("the actor is not of this city")]
    OtherCity,
    /// The actor's role may not do this.
    #[error("role {0} may not do this")]
    RoleWithoutRight(Role),
    /// No registry has entered this log yet.
    #[error("no registry has entered this log yet")]
    NoRegistry,
    /// Too few voters have reported their time yet.
    #[error("group time is not known yet")]
    NoTime,
    /// The act's time is too far from group time.
    #[error("the act is dated {at:?}, group time is {group_time:?}")]
    Skewed {
        /// The act's time.
        at: Timestamp,
        /// Group time.
        group_time: Timestamp,
    },
    /// Something else was asked under the command id.
    #[error("something else was asked under the command id")]
    IdReused,
    /// The number was already collected.
    #[error("the case number is already taken")]
    CaseExists,
    /// This group has no such case.
    #[error("there is no such case here")]
    NoSuchCase,
    /// Somebody changed the case since the actor saw it.
    #[error("the case is at version {}, the act expects {}", actual.0, expected.0)]
    StaleVersion {
        /// What the actor saw.
        expected: CaseVersion,
        /// What it is.
        actual: CaseVersion,
    },
    /// The state does not allow it.
    #[error("a case that is {0} does not allow this")]
    WrongState(CaseState),
    /// Another group owns the case.
    #[error("another city's group owns the case")]
    NotOwner,
    /// Only the authority may do this.
    #[error("only the authority may do this")]
    NotTheAuthority,
    /// A request about this case is not answered yet.
    #[error("an earlier request to the owner is not answered yet")]
    RequestPending,
    /// The notice of corrections is given once, of everything.
    #[error("the one-time notice was already given")]
    NoticeAlreadyGiven,
    /// The time for the notice is over.
    #[error("the time for a notice of corrections is over")]
    NoticeTooLate,
    /// The reviewer may not be the checker.
    #[error("the reviewer of a case may not decide it")]
    ReviewerMayNotDecide,
    /// A refusal needs reasons and remedies.
    #[error("a refusal needs its reasons")]
    ReasonMissing,
    /// The document of the grant is not issued yet.
    #[error("the document of the grant is not issued yet")]
    DocumentPending,
    /// No document is owed, or it is at another stage.
    #[error("the document is not at that stage")]
    DocumentStage,
    /// The item is not in this group's catalogue.
    #[error("the item is not in the catalogue")]
    UnknownItem,
    /// The item is in the catalogue with other terms.
    #[error("the item is already in the catalogue with other terms")]
    ItemExists,
    /// The catalogue is full.
    #[error("the catalogue is full")]
    CatalogueFull,
    /// No working-day calendar has entered this log yet.
    #[error("no working-day calendar has entered this log yet")]
    NoCalendar,
    /// A newer version is in force.
    #[error("a newer version is in force")]
    Superseded,
    /// The lease is held by another node.
    #[error("the lease on the city's effects is held by another node")]
    LeaseHeld,
    /// The act was done under a lease that is over.
    #[error("the lease acted under is over")]
    LeaseOver,
    /// The registry file is refused.
    #[error("the registry is refused: {0}")]
    RegistryRefused(Code),
    /// The certificate is not that of a majority of the sending group's voters.
    #[error("the certificate of the parcels does not hold: {0}")]
    CertificateRefused(Code),
    /// The parcels are for another group.
    #[error("the parcel is not for this group")]
    ParcelForOther,
    /// An earlier packet of this case has not come yet.
    #[error("packet {got} came before packet {expected}")]
    OutOfOrder {
        /// The next one.
        expected: u32,
        /// The one that came.
        got: u32,
    },
    /// Two certified packets at one sequence: kept as evidence.
    #[error("two different packets are certified at one sequence")]
    Equivocation,
    /// The sender is no party of the case.
    #[error("the sending city is no party of the case")]
    NotAParty,
    /// The case was decided or ended before the request came.
    #[error("the case is decided or ended")]
    AlreadyDecided,
    /// The envelope contradicts itself or the sender.
    #[error("the envelope contradicts itself")]
    InconsistentEnvelope,
    /// The catalogue of this group is not set up yet.
    #[error("the catalogue of this group is not set up yet")]
    NoCatalogue,
    /// The key may not sign at this time.
    #[error("the signing key may not sign at {at:?}")]
    KeyOutOfTime {
        /// The time it is judged by: group time, or a report's own where that is later.
        at: Timestamp,
    },
    /// The application was collected longer ago than a desk may be cut off.
    #[error("the application was collected {at:?}, too long before group time {group_time:?}")]
    CollectedTooLongAgo {
        /// When it was collected.
        at: Timestamp,
        /// Group time.
        group_time: Timestamp,
    },
    /// The two cities have different texts of the item.
    #[error("the item's text is not the one this city has")]
    ItemDiffers,
    /// The calendar has not all the years of the one in force that are still counted in.
    #[error("the calendar leaves out years of the one in force")]
    CalendarLeavesYearsOut,
    /// Another order of placement came first, or one is missing.
    #[error("the order of placement is number {got}, the next one is {expected}")]
    PlacementOutOfTurn {
        /// The next one.
        expected: u64,
        /// The one that came.
        got: u64,
    },
    /// The placement is none a group may have.
    #[error("the placement breaks a rule")]
    PlacementRuleBroken,
}

impl Refusal {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        match self {
            Self::Malformed => Code::MALFORMED_RECORD,
            Self::BadSignature => Code::BAD_SIGNATURE,
            Self::KeyWithoutRight => Code::KEY_WITHOUT_RIGHT,
            Self::OtherGroup(_) => Code::OTHER_GROUP,
            Self::OtherCity => Code::OTHER_CITY,
            Self::RoleWithoutRight(_) => Code::ROLE_WITHOUT_RIGHT,
            Self::NoRegistry => Code::NO_REGISTRY,
            Self::NoTime => Code::NO_GROUP_TIME,
            Self::Skewed { .. } => Code::CLOCK_SKEW,
            Self::IdReused => Code::COMMAND_ID_REUSED,
            Self::CaseExists => Code::CASE_EXISTS,
            Self::NoSuchCase => Code::NO_SUCH_CASE,
            Self::StaleVersion { .. } => Code::STALE_VERSION,
            Self::WrongState(_) => Code::WRONG_STATE,
            Self::NotOwner => Code::NOT_OWNER,
            Self::NotTheAuthority => Code::NOT_THE_AUTHORITY,
            Self::RequestPending => Code::REQUEST_PENDING,
            Self::NoticeAlreadyGiven => Code::NOTICE_ALREADY_GIVEN,
            Self::NoticeTooLate => Code::NOTICE_TOO_LATE,
            Self::ReviewerMayNotDecide => Code::REVIEWER_MAY_NOT_DECIDE,
            Self::ReasonMissing => Code::REASON_MISSING,
            Self::DocumentPending => Code::DOCUMENT_PENDING,
            Self::DocumentStage => Code::DOCUMENT_STAGE,
            Self::UnknownItem => Code::UNKNOWN_ITEM,
            Self::ItemExists => Code::ITEM_EXISTS,
            Self::CatalogueFull => Code::CATALOGUE_FULL,
            Self::NoCalendar => Code::NO_CALENDAR,
            Self::Superseded => Code::SUPERSEDED,
            Self::LeaseHeld => Code::LEASE_HELD,
            Self::LeaseOver => Code::LEASE_OVER,
            Self::RegistryRefused(code) | Self::CertificateRefused(code) => *code,
            Self::ParcelForOther => Code::PARCEL_FOR_OTHER,
            Self::OutOfOrder { .. } => Code::OUT_OF_ORDER,
            Self::Equivocation => Code::EQUIVOCATION,
            Self::NotAParty => Code::NOT_A_PARTY,
            Self::AlreadyDecided => Code::ALREADY_DECIDED,
            Self::InconsistentEnvelope => Code::INCONSISTENT_ENVELOPE,
            Self::NoCatalogue => Code::NO_CATALOGUE,
            Self::KeyOutOfTime { .. } => Code::KEY_OUT_OF_TIME,
            Self::CollectedTooLongAgo { .. } => Code::COLLECTED_TOO_LONG_AGO,
            Self::ItemDiffers => Code::ITEM_DIFFERS,
            Self::CalendarLeavesYearsOut => Code::CALENDAR_LEAVES_YEARS_OUT,
            Self::PlacementOutOfTurn { .. } => Code::PLACEMENT_OUT_OF_TURN,
            Self::PlacementRuleBroken => Code::PLACEMENT_RULE_BROKEN,
        }
    }

    /// Whether the same command may be accepted a moment later, with nothing changed by its author.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::NoRegistry
                | Self::NoTime
                | Self::Skewed { .. }
                | Self::NoCalendar
                | Self::NoCatalogue
                // The act is signed again with a key that is renewed.
                | Self::KeyOutOfTime { .. }
        )
    }
}
