//! A case as everybody who holds a replica may see it: places, states and times, never the person.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::item::{HandlingMode, ItemVersion};
use crate::people::Actor;
use crate::time::Timestamp;
use crate::{CaseNumber, CityCode, Division};

/// How the application reached the receiving city. Numbers are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A window of a hall.
    Window,
    /// A web hall or an app.
    Online,
    /// A self-service terminal.
    Terminal,
}

/// What of an application stands in the clear in the log, fixed when it is collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEnvelope {
    /// Its number, shared by both cities.
    pub number: CaseNumber,
    /// The item and the version of its guide in force when collected.
    pub item: ItemVersion,
    /// SHA-256 of the item's file as the receiving city has it: both must have meant the same text.
    pub item_file: Hash,
    /// How it is handled.
    pub mode: HandlingMode,
    /// The city that collected it (收件地).
    pub intake: CityCode,
    /// The city whose decision it is (属地).
    pub authority: CityCode,
    /// The division the form names for the authority; may be a county of it.
    pub authority_division: Division,
    /// Keyed pseudonym of the applicant: HMAC-SHA-256 under a key of the intake city.
    pub subject: Hash,
    /// How it came.
    pub channel: Channel,
    /// When it was collected, by the receiving node's clock: the time of receipt the law reckons
    /// from.
    pub collected_at: Timestamp,
    /// Who collected it.
    pub collected_by: Actor,
    /// Salted SHA-256 of the form, so that a party can prove what was handed in after its key is
    /// erased.
    pub form: Hash,
}

/// Where a case is in its life (`domain.md` §3.6). Numbers are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseState {
    /// 已收件: taken in, its package complete or not.
    Collected,
    /// 转送中: handed over to the authority, which has not answered yet.
    InTransit,
    /// 已签收: entered in the authority's log, which owns it from here on.
    Received,
    /// 补正中: the applicant was told once, of everything, what is missing.
    CorrectionAsked,
    /// 已补正: corrected.
    Corrected,
    /// 已受理: accepted, by a person or by the law.
    Accepted,
    /// 不予受理: refused to accept.
    NotAccepted,
    /// 审查: reviewed, waiting for its decision.
    InReview,
    /// 准予: granted.
    Granted,
    /// 不予许可: refused.
    Refused,
    /// 已送达: its result is in the applicant's hands.
    Delivered,
    /// 已撤回: withdrawn by the applicant before a decision.
    Withdrawn,
}

impl CaseState {
    /// All states.
    pub const ALL: [Self; 12] = [
        Self::Collected,
        Self::InTransit,
        Self::Received,
        Self::CorrectionAsked,
        Self::Corrected,
        Self::Accepted,
        Self::NotAccepted,
        Self::InReview,
        Self::Granted,
        Self::Refused,
        Self::Delivered,
        Self::Withdrawn,
    ];

    /// Its name in Chinese, as clerks say it.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Collected => "已收件",
            Self::InTransit => "转送中",
            Self::Received => "已签收",
            Self::CorrectionAsked => "补正中",
            Self::Corrected => "已补正",
            Self::Accepted => "已受理",
            Self::NotAccepted => "不予受理",
            Self::InReview => "审查",
            Self::Granted => "准予",
            Self::Refused => "不予许可",
            Self::Delivered => "已送达",
            Self::Withdrawn => "已撤回",
        }
    }

    /// Its name for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::InTransit => "in-transit",
            Self::Received => "received",
            Self::CorrectionAsked => "correction-asked",
            Self::Corrected => "corrected",
            Self::Accepted => "accepted",
            Self::NotAccepted => "not-accepted",
            Self::InReview => "in-review",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Delivered => "delivered",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the case is decided or ended: no withdrawal any more.
    pub const fn is_decided(self) -> bool {
        matches!(
            self,
            Self::NotAccepted | Self::Granted | Self::Refused | Self::Delivered | Self::Withdrawn
        )
    }
}

impl std::fmt::Display for CaseState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for CaseState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or(())
    }
}

/// Counts the changes of one case in one group's log; every command on the case names the one it
/// expects, so that neither a stale screen nor a replay can act.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CaseVersion(pub u32);

impl CaseVersion {
    /// The version after one more change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What a reviewer recommends and a checker decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// 准予.
    Grant,
    /// 不予许可.
    Refuse,
}

/// A day something is due by, and whether the calendar of its year was published when it was
/// reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DueTime {
    /// The last millisecond of the last working day.
    pub at: Timestamp,
    /// Reckoned past the last published year: must be reckoned again when it is published.
    pub provisional: bool,
    /// The calendar it was reckoned by.
    pub calendar: u32,
}
